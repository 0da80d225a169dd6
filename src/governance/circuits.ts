// Which kinds of calls an implementation carries out at present: a breaker for each class, so that one cannot stop another.

import type { ActionClass, Failing, GovernedCall, Outcome } from '../broker/policy.ts'
import { Breaker, type BreakerSettings } from '../lib/breaker.ts'
import { CLASSES, classOf } from './classes.ts'
import { targetOf } from './limits.ts'

/** What a class is like, for people. `until`: ms; present while `open`. */
export type CircuitState =
  | { readonly state: 'closed' | 'half-open' }
  | { readonly state: 'open'; readonly until: number }

type Fault = Exclude<Outcome, 'ok' | 'refused' | 'dropped'>

interface Circuit {
  readonly breaker: Breaker
  /** Those let through to tell how things stand: only their failure prolongs the pause. */
  trials: WeakSet<GovernedCall>
  /** A `get_status` has been asked for in this pause. */
  asked: boolean
  /** The groups and users at which calls have failed in a row. */
  readonly targets: Set<string>
  /** When calls were last lost together with the implementation (ms). */
  lost: number
  why: string
}

/** What is lost within so many milliseconds was lost by the same end of the implementation, and is one failure. */
const LOSS = 1_000
/** What learns whether an implementation works at all, and costs it nothing. */
const PROBE = 'get_status'

const FAULTS: Record<Fault, string> = {
  failed: 'the implementation reports that it got stuck',
  timeout: 'no reply within the deadline',
  lost: 'the implementation was lost meanwhile',
}

/** All times are milliseconds of one clock that never goes back. */
export class Circuits {
  readonly #circuits: Record<ActionClass, Circuit>
  /** Nothing ever opens, so nothing is noted. */
  #off: boolean
  /** All are closed, and nothing has failed since the last success of its class. */
  #calm = true

  constructor(settings: BreakerSettings) {
    this.#off = settings.failures === 0
    const circuit = (): Circuit => ({
      breaker: new Breaker(settings),
      trials: new WeakSet(),
      asked: false,
      targets: new Set(),
      lost: Number.NEGATIVE_INFINITY,
      why: '',
    })
    this.#circuits = { send: circuit(), manage: circuit(), read: circuit(), file: circuit() }
  }

  configure(settings: BreakerSettings): void {
    this.#off = settings.failures === 0
    for (const kind of CLASSES) this.#circuits[kind].breaker.configure(settings)
    this.#calm = this.#off || CLASSES.every((kind) => isCalm(this.#circuits[kind]))
  }

  /** Calls that end well change nothing. */
  get calm(): boolean {
    return this.#calm
  }

  /** Whether all of them are. */
  get closed(): boolean {
    const { send, manage, read, file } = this.#circuits
    return isClosed(send) && isClosed(manage) && isClosed(read) && isClosed(file)
  }

  /** Calls of this kind are not to go up before that time; `now` when they may. */
  until(kind: ActionClass, now: number): number {
    return this.#circuits[kind].breaker.until(now)
  }

  /** Why calls of this kind do not go up. */
  why(kind: ActionClass): string {
    return `"${kind}" actions keep failing: ${this.#circuits[kind].why}`
  }

  /** A call goes up; after a pause it is the trial. */
  began(call: GovernedCall, kind: ActionClass, now: number): void {
    const circuit = this.#circuits[kind]
    if (isClosed(circuit)) return
    circuit.breaker.admits(now)
    circuit.trials.add(call)
  }

  ended(call: GovernedCall, outcome: Outcome, now: number): void {
    if (this.#off) return
    const kind = classOf(call.action)
    if (outcome === 'dropped') return withdrawn(this.#circuits[kind], call, now)
    // An answer that nobody likes is an answer all the same.
    if (outcome === 'ok' || outcome === 'refused') {
      if (call.probe) this.#trust(now)
      else succeeded(this.#circuits[kind], now)
      this.#calm ||= CLASSES.every((one) => isCalm(this.#circuits[one]))
    } else {
      this.#calm = false
      this.#failed(this.#circuits[kind], call, outcome, now)
      if (call.action === PROBE) this.#stillBroken(now)
    }
  }

  /** Whether some kind fails: the first that does, and when the first of them may be tried. */
  failing(now: number): Failing | undefined {
    const failing = CLASSES.filter((kind) => !isClosed(this.#circuits[kind]))
    const [first] = failing
    if (first === undefined) return undefined
    const unasked = failing.filter((kind) => isUnasked(this.#circuits[kind])).map((kind) => this.until(kind, now))
    return { why: this.why(first), ...(unasked.length > 0 && { probeAt: Math.min(...unasked) }) }
  }

  /** Whether a pause is over that no `get_status` has been asked for. Who is told so must report how that has ended. */
  probe(now: number): boolean {
    let wanted = false
    for (const kind of CLASSES) {
      const circuit = this.#circuits[kind]
      if (circuit.asked || !isDue(circuit, now)) continue
      circuit.asked = true
      wanted = true
      // It is of this class itself: nobody's own call need be the trial.
      if (kind === classOf(PROBE)) circuit.breaker.admits(now)
    }
    return wanted
  }

  snapshot(now: number): Record<ActionClass, CircuitState> {
    const { send, manage, read, file } = this.#circuits
    return { send: told(send, now), manage: told(manage, now), read: told(read, now), file: told(file, now) }
  }

  #failed(circuit: Circuit, call: GovernedCall, fault: Fault, now: number): void {
    const { kind } = circuit.breaker.state
    if (kind === 'open') return
    // Calls of before the pause end during it, and much later: they say nothing about now.
    if (kind === 'half-open' && !circuit.trials.has(call) && call.action !== PROBE) return
    // A probe is asked because of others: its failures do not open its own class, which would have pauses of its own then.
    if (kind === 'closed' && (call.probe || !counts(circuit, call, fault, now))) return
    circuit.breaker.ended(false, now)
    if (isClosed(circuit)) return
    circuit.why = FAULTS[fault]
    circuit.trials = new WeakSet()
    circuit.asked = false
  }

  /**
   * It has answered, which says little about uploads. But where there are others a trial costs less than to turn calls
   * away meanwhile: what is due passes again, and what fails then goes there.
   */
  #trust(now: number): void {
    for (const kind of CLASSES) {
      const circuit = this.#circuits[kind]
      const { state } = circuit.breaker
      if (state.kind === 'closed' || (state.kind === 'open' && circuit.breaker.until(now) > now)) continue
      circuit.breaker.trust()
      circuit.targets.clear()
    }
  }

  /** Not even a status was told: what is due would fail, too, so nobody's call is spent on it. */
  #stillBroken(now: number): void {
    for (const kind of CLASSES) {
      const circuit = this.#circuits[kind]
      if (!isDue(circuit, now)) continue
      circuit.breaker.admits(now)
      circuit.breaker.ended(false, now)
      circuit.asked = false
    }
  }
}

const isClosed = ({ breaker }: Circuit) => breaker.state.kind === 'closed'

const isUnasked = ({ breaker, asked }: Circuit) => breaker.state.kind === 'open' && !asked

const isCalm = ({ breaker: { state }, targets }: Circuit) =>
  state.kind === 'closed' && state.failures === 0 && targets.size === 0

const isDue = ({ breaker }: Circuit, now: number) => breaker.state.kind === 'open' && breaker.until(now) <= now

function succeeded(circuit: Circuit, now: number): void {
  circuit.breaker.ended(true, now)
  circuit.targets.clear()
}

/** Nobody waits for it any more. Where it was to tell how things stand, another one must. */
function withdrawn(circuit: Circuit, call: GovernedCall, now: number): void {
  if (circuit.breaker.state.kind !== 'half-open' || !circuit.trials.has(call)) return
  circuit.breaker.withdrawn(now)
  circuit.asked = false
}

/** Whether a failure says something about the implementation, and something new. */
function counts(circuit: Circuit, call: GovernedCall, fault: Fault, now: number): boolean {
  if (fault === 'timeout') return true
  if (fault === 'lost') {
    if (now < circuit.lost + LOSS) return false
    circuit.lost = now
    return true
  }
  // It answers, so it lives. One group that QQ lets nothing into looks just like this, and must not stop the others.
  const group = targetOf(call, 'group')
  const target = group ?? targetOf(call, 'user')
  if (target === undefined) return true
  const key = group === undefined ? `user ${target}` : `group ${target}`
  if (circuit.targets.has(key)) return false
  circuit.targets.add(key)
  return true
}

function told(circuit: Circuit, now: number): CircuitState {
  const { kind } = circuit.breaker.state
  if (kind === 'closed') return { state: 'closed' }
  // After its pause the next call is the trial.
  if (kind === 'half-open' || isDue(circuit, now)) return { state: 'half-open' }
  return { state: 'open', until: circuit.breaker.until(now) }
}
