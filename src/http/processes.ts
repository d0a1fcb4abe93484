/** The processes of a stdio server until each is over, and their places among those that callers share. */
import type { Command } from '../mcp/child.ts'
import { Conversation, type ConversationPorts } from './conversation.ts'
import type { Place } from './shares.ts'

export type ProcessPorts = Omit<ConversationPorts, 'command' | 'log'>

export interface ProcessesOptions {
  readonly command: Command
  readonly log: (sentence: string) => void
}

export class Processes {
  readonly #options: ProcessesOptions
  /** With those that are only starting or ending. */
  readonly #all = new Set<Promise<Conversation>>()
  readonly #places = new WeakMap<Conversation, () => void>()

  constructor({ command, log }: ProcessesOptions) {
    this.#options = { command, log }
  }

  start(ports: ProcessPorts, place: Place): Promise<Conversation> {
    const giveBack = place.keep()
    const forget = () => {
      this.#all.delete(starting)
      giveBack()
    }
    const gone = () => {
      forget()
      ports.gone()
    }
    const starting = Conversation.start({ ...ports, gone, ...this.#options })
    this.#all.add(starting)
    starting.then((conversation) => this.#places.set(conversation, giveBack), forget)
    return starting
  }

  /** It is about to end: another may start in its place. */
  makeRoom(conversation: Conversation): void {
    this.#places.get(conversation)?.()
  }

  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.#all].map(async (process) => (await process).stop()))
  }
}
