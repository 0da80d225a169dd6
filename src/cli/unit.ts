// Writes the files that make a system run perpetua: a systemd unit, a launchd job.

export interface Service {
  /** The program and its own words, with whole paths. */
  readonly command: readonly string[]
  /** Where relative paths of the config start: data, logs. */
  readonly folder: string
  /** Of the whole machine, not of one user. */
  readonly system: boolean
  /** Who runs it, of a whole machine. */
  readonly user: string
}

/** A gateway takes up to 10 s to stop in order. */
const STOPPING_S = 15
/** Sockets are files; a busy bot has thousands. */
const FILES = 65_536

/**
 * Lines that any manager can enforce. Memory stays executable: JavaScript is compiled there.
 * Exit codes 2 and 4 (wrong options, folder in use) do not mend themselves by a restart.
 */
const COMMON = `Type=exec
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 4
TimeoutStopSec=${STOPPING_S}
KillMode=mixed
LimitNOFILE=${FILES}
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service`

/** Lines that need what only the system's manager has everywhere: views of the file system, capabilities. */
const SYSTEM = `CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible`

export function systemdUnit({ command, folder, system, user }: Service): string {
  const own = system ? `User=${user}\n${SYSTEM}\nReadWritePaths=${quoted(folder)}\n` : ''
  return `[Unit]
Description=perpetua, a OneBot 11 gateway
${system ? 'Wants=network-online.target\nAfter=network-online.target\n' : ''}StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
ExecStart=${command.map(quoted).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory=${folder.replaceAll('%', '%%')}
${COMMON}
${own}
[Install]
WantedBy=${system ? 'multi-user.target' : 'default.target'}
`
}

/** As systemd reads it: quotes keep spaces, percent and dollar signs stand for themselves when doubled. */
function quoted(word: string): string {
  const plain = word.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replaceAll('"', '\\"')}"`
}

export const LABEL = 'perpetua'

export function launchdJob({ command, folder, system, user }: Service): string {
  const words = command.map((word) => `    <string>${escaped(word)}</string>`).join('\n')
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
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
  <key>StandardOutPath</key>
  <string>${escaped(folder)}/logs/service.log</string>
  <key>StandardErrorPath</key>
  <string>${escaped(folder)}/logs/service.log</string>
</dict>
</plist>
`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
const escaped = (text: string) => text.replace(/[&<>]/g, (char) => ENTITIES[char] ?? char)
