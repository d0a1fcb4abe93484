/**
 * A volume of a ConfigMap, or of projected tokens, as the kubelet writes it: the files are links through `..data`, and that
 * link alone is replaced, so that all files change in one moment while none of them is written to.
 */
import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export class Volume {
  readonly #folder: string
  #updates = 0

  constructor(folder: string, files: Readonly<Record<string, string>>) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
    this.update(files)
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), this.file(name))
  }

  file(name: string): string {
    return join(this.#folder, name)
  }

  update(files: Readonly<Record<string, string>>): void {
    const [data, next] = [this.file('..data'), this.file('..data_tmp')]
    const folder = `..2026_11_21_18_00_00.${++this.#updates}`
    mkdirSync(this.file(folder))
    for (const [name, text] of Object.entries(files)) writeFileSync(this.file(join(folder, name)), text)
    const before = this.#updates === 1 ? undefined : readlinkSync(data)
    symlinkSync(folder, next)
    renameSync(next, data)
    if (before !== undefined) rmSync(this.file(before), { recursive: true })
  }
}
