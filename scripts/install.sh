#!/bin/sh
# Installs perpetua, or replaces it with another version: one file, for this user, without root.

# Nothing runs before the whole script is there: a download of it may be cut, too.
{
set -eu

repository=IUnlimit/perpetua
dir=''
to=''
mirror=''
base=https://github.com
target=''

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

usage() {
  cat <<'END'
Installs perpetua, or replaces it with another version: one file, for this user, without root.

  sh install.sh [--dir FOLDER] [--to VERSION] [--mirror URL] [--base URL] [--target NAME]

--dir     where the program goes; default: ~/.local/bin
--to      a version such as 0.1.0; default: the newest
--mirror  put before the whole address of a file, as download mirrors want it
--base    a server with the paths of GitHub; default: GitHub itself
--target  such as linux-x64-musl; default: found out
END
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h)
        usage
        exit 0
        ;;
      --dir | --to | --mirror | --base | --target)
        [ -n "${2-}" ] || fail "$1 needs a value"
        case $1 in
          --dir) dir=$2 ;;
          --to) to=${2#v} ;;
          --mirror) mirror=${2%/} ;;
          --base) base=${2%/} ;;
          --target) target=$2 ;;
        esac
        shift 2
        ;;
      *) fail "unknown option $1; --help lists them" ;;
    esac
  done
}

# The name of the build that runs here.
find_target() {
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) cpu=x64 ;;
    aarch64 | arm64) cpu=arm64 ;;
    *) fail "there is no build for $machine; run the source with Node.js: see the README" ;;
  esac
  # Some systems for a Raspberry Pi have a kernel of 64 bits, and nothing else that has.
  [ "$(getconf LONG_BIT 2>/dev/null || echo 64)" = 64 ] || fail 'there is no build for 32 bits'
  case $(uname -s) in
    Linux) say "linux-$cpu$(baseline)$(musl)" ;;
    Darwin)
      # A shell that is translated says x86_64 on Apple's own processors.
      [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ] && cpu=arm64
      say "darwin-$cpu"
      ;;
    MINGW* | MSYS* | CYGWIN*) fail 'on Windows, run install.ps1 in PowerShell' ;;
    *) fail "there is no build for $(uname -s); run the source with Node.js: see the README" ;;
  esac
}

# Processors without AVX2 need another build.
baseline() {
  [ "$cpu" = x64 ] || return 0
  grep -q -w avx2 /proc/cpuinfo 2>/dev/null || printf %s -baseline
}

# Alpine and the like: the loaders tell. gcompat only looks like glibc.
musl() {
  set -- /lib/ld-musl-*
  [ -e "$1" ] || return 0
  set -- /lib/libgcompat.*
  if [ ! -e "$1" ]; then
    for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do [ -e "$loader" ] && return 0; done
  fi
  printf %s -musl
}

# fetch URL FILE [METER]; the meter is curl's
fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl -fSL "${3:--s}" --retry 2 --connect-timeout 20 --speed-limit 1 --speed-time 30 -o "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -T 30 -O "$2" "$1" && return 0
    code=$?
    # BusyBox 1.35 falls over its own option.
    if [ "$code" -gt 128 ]; then wget -q -O "$2" "$1" && return 0 || code=$?; fi
    say "wget: exit code $code" >&2
    return 1
  else
    fail 'curl or wget is needed: install one of them'
  fi
}

sum_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif command -v openssl >/dev/null 2>&1; then
    openssl dgst -sha256 "$1" | sed 's/.* //'
  else
    fail 'sha256sum, shasum or openssl is needed to check the download'
  fi
}

address() {
  if [ -n "$to" ]; then release="download/v$to"; else release=latest/download; fi
  say "${mirror:+$mirror/}$base/$repository/releases/$release/$1"
}

# What is downloaded is unpacked in the folder where it will be: whether that can be written is known before, it takes
# its place in one step, and /tmp may be small, or in memory.
prepare() {
  [ -n "$dir" ] || [ -n "${HOME-}" ] || fail 'HOME is not set; name a folder with --dir'
  dir=${dir:-$HOME/.local/bin}
  mkdir -p "$dir" || fail "$dir cannot be made; name another with --dir"
  dir=$(CDPATH='' cd "$dir" && pwd)
  [ ! -d "$dir/perpetua" ] || fail "$dir/perpetua is a folder; name another with --dir"
  trap '[ -z "$work" ] || rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM HUP
  work=$(mktemp -d "$dir/.perpetua.XXXXXX") || fail "$dir cannot be written; name another with --dir"
}

install_program() {
  archive=perpetua-$target.tar.gz
  meter=-s
  [ ! -t 2 ] || meter=-#
  say "Downloading $(address "$archive")"
  fetch "$(address SHA256SUMS)" "$work/SHA256SUMS" || fail "the list of checksums was not downloaded; nothing was changed. Try again, or use --mirror"
  fetch "$(address "$archive")" "$work/$archive" "$meter" || fail "$archive was not downloaded whole; nothing was changed. Try again, or use --mirror"
  wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$archive\$/\1/p" "$work/SHA256SUMS")
  [ -n "$wanted" ] || fail "SHA256SUMS does not list $archive; nothing was changed"
  found=$(sum_of "$work/$archive")
  [ "$found" = "$wanted" ] || fail "$archive is damaged, or another file: its SHA-256 is $found, wanted $wanted; nothing was changed"
  tar -xzf "$work/$archive" -C "$work" "perpetua-$target/perpetua" || fail "$archive was not unpacked; nothing was changed"

  next=$work/perpetua-$target/perpetua
  if ! version=$("$next" --version 2>&1); then
    # A loader goes on for pages.
    why=$(printf '%s\n' "$version" | sed -n 1p)
    case $target in
      *-musl) fail "it does not start here: $why; on Alpine: apk add libstdc++" ;;
      *) fail "it does not start here: $why; perhaps --target names another build" ;;
    esac
  fi
  replaced=''
  if [ -e "$dir/perpetua" ]; then
    replaced=1
    # A gateway may run from either file: neither is written to.
    rm -f "$dir/perpetua.old"
    ln "$dir/perpetua" "$dir/perpetua.old" 2>/dev/null || cp -p "$dir/perpetua" "$dir/perpetua.old"
  fi
  mv -f "$next" "$dir/perpetua"
  say "Installed perpetua $version: $dir/perpetua"
  [ -z "$replaced" ] || say 'The one before is kept as perpetua.old; a gateway that runs goes on with it until it is restarted.'
}

say_next() {
  case ":$PATH:" in
    *":$dir:"*)
      program=perpetua
      first=$(command -v perpetua || true)
      [ "$first" = "$dir/perpetua" ] || say "But $first comes first in PATH: remove it, or put $dir before it."
      ;;
    *)
      program=$dir/perpetua
      case $program in *[!A-Za-z0-9/._-]*) program="\"$program\"" ;; esac
      say_path
      ;;
  esac
  say "Next, in a folder for its config and data: $program init, then $program"
}

# What makes the shell find it, in the shell's own words.
say_path() {
  line="export PATH=\"$dir:\$PATH\""
  case ${SHELL-} in
    */fish) line="fish_add_path \"$dir\"" file='' ;;
    */zsh) file=.zshrc ;;
    */bash) case $target in darwin-*) file=.bash_profile ;; *) file=.bashrc ;; esac ;;
    *) file=.profile ;;
  esac
  say "$dir is not in PATH. Run this${file:+, and add it to ~/$file for shells to come}:"
  say "  $line"
}

main() {
  read_options "$@"
  [ -n "$target" ] || target=$(find_target)
  work=''
  prepare
  install_program
  say_next
}

main "$@"
exit
}
