// What converters and actions act on: one logged-in implementation, and what is known of its messages.

import type { MessageNumbers, MessagePlace } from '../broker/ports.ts'
import { type MilkyApi, MilkyError, UNSUPPORTED } from './api.ts'
import { MessageIds } from './ids.ts'
import type { Api, Input, Output } from './shapes.ts'

export interface StageOptions {
  readonly api: MilkyApi
  readonly selfId: number
  readonly nickname: string
  /** What the implementation calls itself. */
  readonly implementation: string
  readonly numbers: MessageNumbers
  /** Whether QQ can be reached, as far as anybody knows. */
  readonly online: () => boolean
}

export class Stage {
  readonly selfId: number
  readonly nickname: string
  readonly #implementation: string
  readonly #api: MilkyApi
  readonly #ids: MessageIds
  readonly #numbers: MessageNumbers
  readonly #online: () => boolean

  constructor({ api, selfId, nickname, implementation, numbers, online }: StageOptions) {
    this.selfId = selfId
    this.nickname = nickname
    this.#implementation = implementation
    this.#api = api
    this.#numbers = numbers
    this.#ids = new MessageIds(numbers, selfId)
    this.#online = online
  }

  get online(): boolean {
    return this.#online()
  }

  /** Lagrange.Milky, some of whose answers mean something else than they say. */
  get isLagrange(): boolean {
    return /lagrange/i.test(this.#implementation)
  }

  /** Rejects with MilkyError. */
  call<A extends Api>(api: A, input: Input<A>, patience?: number): Promise<Output<A>> {
    return this.#api.call(api, input, patience)
  }

  idOf(place: MessagePlace): number {
    return this.#ids.idOf(place)
  }

  known(id: number): MessagePlace | undefined {
    return this.#ids.placeOf(id)
  }

  /** @throws MilkyError where no such message is known. */
  placeOf(id: number): MessagePlace {
    const place = this.known(id)
    if (place !== undefined) return place
    throw new MilkyError(
      UNSUPPORTED,
      `message ${id} is not known here: only messages that went by, and not too long ago, are`,
    )
  }

  fileHash(fileId: string): string | undefined {
    return this.#numbers.fileHash(this.selfId, fileId)
  }

  keepFile(fileId: string, hash: string): void {
    if (fileId !== '' && hash !== '') this.#numbers.keepFile(this.selfId, fileId, hash)
  }
}
