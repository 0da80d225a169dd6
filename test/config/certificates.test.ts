// The certificate that clients get: told before it is served.

import { expect, test } from 'bun:test'
import { certificateNotices, flawedCertificates } from '../../src/config/certificates.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problem.ts'
import { configOf } from '../../src/config/schema.ts'
import { folder } from '../support/folder.ts'

const PEM = `${import.meta.dir}/../fixtures/tls`
const wanted = (cert: string, key: string) =>
  flawedCertificates({ http: { tls: { cert, key } } }).map(({ path, wanted }) => `${path.join('.')}: ${wanted}`)

test('[CFG38] certificate and key must be what they are called, and belong together', () => {
  const [cert, key] = [`${PEM}/cert.pem`, `${PEM}/key.pem`]
  expect(wanted(cert, key)).toEqual([])
  expect(wanted(key, cert)).toEqual([
    'http.tls.cert: a certificate in PEM format',
    'http.tls.key: a private key in PEM format, without a passphrase',
  ])
  const other = `${PEM}/renewed-key.pem`
  expect(wanted(cert, other)).toEqual([`http.tls.key: the private key of the certificate in ${cert}`])
  // Told already, by another rule.
  expect(wanted(cert, '/nowhere.pem')).toEqual([])
})

test('[CFG38] a config with a wrong key is refused as a whole', async () => {
  await using home = await folder()
  const file = home.at('config.yml')
  await Bun.write(file, `http: {tls: {cert: '${PEM}/cert.pem', key: '${PEM}/renewed-key.pem'}}`)
  const error = await loadConfig({ file, environment: {} }).catch((problem: unknown) => problem)
  expect(error).toBeInstanceOf(ConfigError)
})

test('[CFG38] an expired certificate is a notice', () => {
  const config = configOf({ http: { tls: { cert: `${PEM}/cert.pem`, key: `${PEM}/key.pem` } } })
  expect(certificateNotices(config)).toEqual([])
  expect(certificateNotices(config, Date.parse('9999-01-01'))).toEqual([expect.stringMatching(/cert\.pem expired on /)])
  expect(certificateNotices(configOf())).toEqual([])
})
