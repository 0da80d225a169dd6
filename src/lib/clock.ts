// A clock for deadlines and ages: it does not jump when the system's is set.

/** Milliseconds since 1970, counted on from what the system's clock said when this program started. */
export const steady = (): number => Math.round(performance.timeOrigin + performance.now())
