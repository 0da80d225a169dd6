// Cuts a stream of server-sent events into their data: bounded, however the text is cut into pieces.

export class SseReader {
  readonly #most: number
  readonly #heard: (data: string) => void
  /** The line that has no end yet. */
  #line = ''
  #data: string[] = []
  #size = 0
  #comments = 0

  /** @param most characters of one event. @param heard gets each event's data. */
  constructor(most: number, heard: (data: string) => void) {
    this.#most = most
    this.#heard = heard
  }

  /** An event is longer than anybody should write; nothing more is kept of it. */
  get overfull(): boolean {
    return this.#size + this.#line.length > this.#most
  }

  /** How many comments there were: by these some show that they live. */
  get comments(): number {
    return this.#comments
  }

  push(text: string): void {
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#ended(this.#line + text.slice(from, end))
      this.#line = ''
      from = end + 1
    }
    if (!this.overfull) this.#line += text.slice(from)
  }

  #ended(whole: string): void {
    const line = whole.endsWith('\r') ? whole.slice(0, -1) : whole
    if (line === '') return this.#emit()
    if (line.startsWith(':')) this.#comments += 1
    // What else there is: the kind, which is always the same.
    if (!line.startsWith('data:')) return
    const data = line.startsWith('data: ') ? line.slice(6) : line.slice(5)
    this.#size += data.length
    if (this.#size <= this.#most) this.#data.push(data)
  }

  #emit(): void {
    const data = this.#data
    this.#data = []
    this.#size = 0
    if (data.length > 0) this.#heard(data.join('\n'))
  }
}
