/** XML as far as reports have it, read strictly: what a parser of XML 1.0 would refuse is refused here. */
import assert from 'node:assert/strict'

export interface Element {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Element[]
  /** Its own, with references resolved. */
  text: string
}

/** What is well-formed XML of elements, attributes, text and references by number; throws for anything else. */
export function xmlOf(xml: string): Element {
  const [head = ''] = /^<\?xml version="1\.0" encoding="UTF-8"\?>\n/.exec(xml) ?? []
  const body = xml.slice(head.length)
  const top: Element = { tag: '', attributes: {}, children: [], text: '' }
  const open = [top]
  const token = /<\/([\w-]+)>|<([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>|([^<]+)/gy
  let end = 0
  for (const [all, closed, tag, attributes = '', empty, text = ''] of body.matchAll(token)) {
    end += all.length
    if (closed) assert.equal(open.pop()?.tag, closed)
    const around = open.at(-1) as Element
    around.text += resolved(text)
    if (!tag) continue
    const element = { tag, attributes: attributesIn(attributes), children: [], text: '' }
    around.children.push(element)
    if (!empty) open.push(element)
  }
  assert.deepEqual([end, open.length, top.children.length], [body.length, 1, 1])
  return top.children[0] as Element
}

function attributesIn(text: string): Readonly<Record<string, string>> {
  const found = [...text.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, resolved(value)])
  const attributes = Object.fromEntries(found)
  assert.equal(Object.keys(attributes).length, found.length, 'an attribute stands twice')
  return attributes
}

/** Also what is referred to has to be a character of XML. */
function resolved(text: string): string {
  assert.doesNotMatch(text.replace(/&#\d+;/g, ''), /[&<>]/)
  const read = text.replace(/&#(\d+);/g, (_, point) => String.fromCodePoint(Number(point)))
  assert.doesNotMatch(read, /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u)
  return read
}
