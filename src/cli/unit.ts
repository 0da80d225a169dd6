// Writes the files that make a system run perpetua: a systemd unit, a launchd job.

export interface Service {
  /** The program and its own words, with whole paths. */
  readonly command: readonly string[]
  /** Where relative paths of the config start: data, logs. */
  readonly folder: string
  /** Folders outside it that the config has it write. */
  readonly writes: readonly string[]
  /** Of the whole machine, not of one user. */
  readonly system: boolean
  /** Who runs it, of a whole machine. */
  readonly user: string
  /** It listens below port 1024. */
  readonly lowPorts: boolean
  /** It runs an implementation of its own, a program that unpacks itself here; '' for none. */
  readonly unpacks: string
  /** It keeps a log of its own, with an end: the system need not keep another. */
  readonly logs: boolean
}

/** A gateway takes up to 10 s to stop in order. */
const STOPPING_S = 15
/** Sockets are files; a busy bot has thousands. */
const FILES = 65_536

/**
 * Lines that any manager can enforce. Memory stays executable: JavaScript is compiled there. System calls beyond the
 * list fail, and kill nobody: programs ask for what is new, and do without.
 * It is started for ever: an address that is not there yet, a wrong config, a port in use mend themselves or are mended.
 * Exit codes 2 and 4 (wrong options, folder in use) do not mend themselves by a restart.
 * An implementation of our own that takes too much memory ends alone, and is started again by the gateway.
 */
const COMMON = `Type=exec
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 4
TimeoutStopSec=${STOPPING_S}
KillMode=mixed
OOMPolicy=continue
LimitNOFILE=${FILES}
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM`

/** Lines that need what only the system's manager has everywhere: views of the file system, capabilities. */
const SYSTEM = `ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible`

export function systemdUnit(service: Service): string {
  const { command, folder, system } = service
  const [program = '', ...words] = command
  return `[Unit]
Description=perpetua, a OneBot 11 gateway
${system ? 'Wants=network-online.target\nAfter=network-online.target\n' : ''}StartLimitIntervalSec=0

[Service]
ExecStart=${[path(program), ...words.map(word)].join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory=${folder.replaceAll('%', '%%')}
${COMMON}
${system ? ofSystem(service) : ''}
[Install]
WantedBy=${system ? 'multi-user.target' : 'default.target'}
`
}

function ofSystem({ user, folder, writes, lowPorts, unpacks }: Service): string {
  const capabilities = lowPorts ? 'CAP_NET_BIND_SERVICE' : ''
  // Clients hand an implementation the paths of files, and those are in /tmp more often than not.
  const shared = unpacks === '' ? [] : ['/tmp', '/var/tmp']
  // What is not there is no reason not to start.
  const others = [...writes, ...shared].map((other) => path(`-${other}`))
  return `User=${user}
CapabilityBoundingSet=${capabilities}
AmbientCapabilities=${capabilities}
${SYSTEM}
${unpacks === '' ? 'PrivateTmp=yes' : `Environment=${path(`DOTNET_BUNDLE_EXTRACT_BASE_DIR=${unpacks}`)}`}
ReadWritePaths=${[path(folder), ...others].join(' ')}
`
}

/** As systemd reads it: quotes keep spaces, a percent sign stands for itself when doubled. */
function path(text: string): string {
  const plain = text.replaceAll('\\', '\\\\').replaceAll('%', '%%')
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replaceAll('"', '\\"')}"`
}

/** Of a command behind its program, where a dollar sign begins a variable. */
const word = (text: string) => path(text.replaceAll('$', '$$$$'))

export function launchdJob({ command, folder, system, user, logs }: Service, label: string): string {
  const words = command.map((word) => `    <string>${escaped(word)}</string>`).join('\n')
  const heard = logs ? ['Error'] : ['Out', 'Error']
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${escaped(label)}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
  <key>WorkingDirectory</key>
  <string>${escaped(folder)}</string>
${system ? `  <key>UserName</key>\n  <string>${escaped(user)}</string>\n` : ''}  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>${STOPPING_S}</integer>
  <key>Umask</key>
  <integer>${0o077}</integer>
  <key>SoftResourceLimits</key>
  <dict>
    <key>NumberOfFiles</key>
    <integer>${FILES}</integer>
  </dict>
${heard.map((which) => `  <key>Standard${which}Path</key>\n  <string>${escaped(folder)}/logs/service.log</string>\n`).join('')}</dict>
</plist>
`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
const escaped = (text: string) => text.replace(/[&<>]/g, (char) => ENTITIES[char] ?? char)

/** Whether it runs perpetua, whoever wrote it. */
export const isOurs = (text: string) =>
  /perpetua/i.test(text) || /<string>start<\/string>\s*<string>--config</.test(text)

/** The folder of a service that was written as above; undefined: it was written by somebody else. */
export function folderIn(text: string): string | undefined {
  const unit = /^WorkingDirectory=(.*)$/m.exec(text)?.[1]
  if (unit !== undefined) return unit.replaceAll('%%', '%')
  const job = /<key>WorkingDirectory<\/key>\s*<string>(.*)<\/string>/.exec(text)?.[1]
  return job?.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
