// Cuts a process's output into lines: bounded, whatever it says and however it is cut into pieces.

/** A longer line (bytes) loses its rest. */
const LONGEST = 4096
const CUT = '…'
const NEWLINE = 10
const RETURN = 13

export class Lines {
  readonly #line: (text: string) => void
  /** The line that has no end yet. */
  readonly #bytes = new Uint8Array(LONGEST)
  #length = 0
  #cut = false

  /** `line` gets each one without its end (\n or \r\n). Bytes that are no UTF-8 become U+FFFD. */
  constructor(line: (text: string) => void) {
    this.#line = line
  }

  push(bytes: Uint8Array): void {
    let from = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.#add(bytes.subarray(from, end))
      this.#emit()
      from = end + 1
    }
    this.#add(bytes.subarray(from))
  }

  /** Nothing more comes: what has no end is a line as well. */
  end(): void {
    if (this.#length > 0) this.#emit()
  }

  #add(bytes: Uint8Array): void {
    const room = LONGEST - this.#length
    // A \r right after a full line may belong to its end.
    if (bytes.length > room && !(bytes.length === room + 1 && bytes[room] === RETURN)) this.#cut = true
    this.#bytes.set(bytes.subarray(0, room), this.#length)
    this.#length += Math.min(room, bytes.length)
  }

  #emit(): void {
    const returned = !this.#cut && this.#bytes[this.#length - 1] === RETURN
    const line = this.#bytes.subarray(0, returned ? this.#length - 1 : this.#length)
    // `stream`: half a character at a cut is left out.
    const text = new TextDecoder().decode(line, { stream: this.#cut })
    const cut = this.#cut
    this.#length = 0
    this.#cut = false
    this.#line(cut ? text + CUT : text)
  }
}
