// Secrets: made, hashed, and compared without telling, by the time it takes, how much of a guess was right.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 192 bits that nobody can guess, as letters, digits, - and _. */
export const newSecret = (): string => randomBytes(24).toString('base64url')

/** What may be kept of a secret: who reads it cannot show the secret. SHA-256 as hex. */
export const secretHash = (secret: string): string => digest(secret).toString('hex')

/** Hashed first: only texts of one length can be compared in constant time, and the length is part of the secret. */
export const sameSecret = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))

const digest = (text: string) => createHash('sha256').update(text).digest()
