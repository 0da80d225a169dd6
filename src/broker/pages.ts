// Texts in the order they came, as UTF-8 in pages of bytes: a million strings would cost the collector more than they hold.

import { Buffer } from 'node:buffer'

const PAGE = 1024 * 1024
/** Longer texts (in characters) stay strings: they are few, and would leave too much of a page empty. */
const LONGEST = PAGE / 64
/** What a character takes at most. */
const WIDEST = 3

/** Where a text is; later ones have greater places. */
export type Place = number

export class Pages {
  readonly #pages = new Map<number, Buffer>()
  readonly #long = new Map<Place, string>()
  /** A page given back is the next one needed. */
  #spare: Buffer | undefined
  /** The first page in use. */
  #first = 0
  #end: Place = 0

  /** Where `write` will put this text. */
  place(text: string): Place {
    const left = PAGE - (this.#end % PAGE)
    if (text.length <= LONGEST && text.length * WIDEST > left) this.#end += left
    return this.#end
  }

  /** Puts the text where `place` said. Returns the bytes it takes there. */
  write(text: string): number {
    const place = this.#end
    if (text.length > LONGEST) {
      this.#long.set(place, text)
      // No two texts share a place.
      this.#end += 1
      return text.length * 2
    }
    const size = this.#page(pageOf(place)).write(text, place % PAGE)
    this.#end += Math.max(size, 1)
    return size
  }

  /** Puts a text of earlier pages here, which is UTF-8 already. Returns its place and the bytes it takes there. */
  put(text: Uint8Array): { readonly place: Place; readonly size: number } {
    if (text.length > LONGEST) {
      const long = Buffer.from(text.buffer, text.byteOffset, text.length).toString('utf8')
      return { place: this.place(long), size: this.write(long) }
    }
    const left = PAGE - (this.#end % PAGE)
    if (text.length > left) this.#end += left
    const place = this.#end
    this.#page(pageOf(place)).set(text, place % PAGE)
    this.#end += Math.max(text.length, 1)
    return { place, size: text.length }
  }

  /** How many bytes `copy` will write. */
  encoded(place: Place, size: number): number {
    const text = this.#long.get(place)
    return text === undefined ? size : Buffer.byteLength(text)
  }

  /** Copies the text to `target`, from `at` on, as UTF-8. */
  copy(place: Place, size: number, target: Buffer, at: number): void {
    const text = this.#long.get(place)
    const start = place % PAGE
    if (text !== undefined) target.write(text, at)
    else this.#pages.get(pageOf(place))?.copy(target, at, start, start + size)
  }

  /** @param size what `write` returned. */
  read(place: Place, size: number): string {
    const text = this.#long.get(place)
    if (text !== undefined) return text
    const start = place % PAGE
    return this.#pages.get(pageOf(place))?.toString('utf8', start, start + size) ?? ''
  }

  /** Forgets the text at `place`, which must be the oldest; `next` is the oldest then. */
  drop(place: Place, next: Place): void {
    this.#long.delete(place)
    for (; this.#first < pageOf(next); this.#first++) {
      this.#spare = this.#pages.get(this.#first) ?? this.#spare
      this.#pages.delete(this.#first)
    }
  }

  #page(number: number): Buffer {
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = this.#spare ?? Buffer.allocUnsafeSlow(PAGE)
      this.#spare = undefined
      this.#pages.set(number, page)
    }
    return page
  }
}

const pageOf = (place: Place) => Math.floor(place / PAGE)
