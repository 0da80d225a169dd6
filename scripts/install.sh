#!/bin/sh
# Installs perpetua, or replaces it with another version: one file, for this user, without root.
#
#   sh install.sh [--dir FOLDER] [--to VERSION] [--mirror URL] [--base URL] [--target NAME]
#
# --dir     where the program goes; default: ~/.local/bin
# --to      a version such as 0.1.0; default: the newest
# --mirror  put before the whole address of a file, as download mirrors want it
# --base    a server with the paths of GitHub; default: GitHub itself
# --target  such as linux-x64-musl; default: found out
set -eu

repository=IUnlimit/perpetua
dir=${HOME:-.}/.local/bin
to=''
mirror=''
base=https://github.com
target=''

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" 2>/dev/null; }

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

# fetch URL FILE
fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsSL --retry 2 --connect-timeout 20 --speed-limit 1 --speed-time 30 -o "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -T 30 -O "$2" "$1"
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

install_program() {
  archive=perpetua-$target.tar.gz
  say "Downloading $(address "$archive")"
  fetch "$(address SHA256SUMS)" "$work/SHA256SUMS" || fail "the list of checksums was not downloaded; nothing was changed. Try again, or use --mirror"
  fetch "$(address "$archive")" "$work/$archive" || fail "$archive was not downloaded whole; nothing was changed. Try again, or use --mirror"
  wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$archive\$/\1/p" "$work/SHA256SUMS")
  [ -n "$wanted" ] || fail "SHA256SUMS does not list $archive; nothing was changed"
  found=$(sum_of "$work/$archive")
  [ "$found" = "$wanted" ] || fail "$archive is damaged, or another file: its SHA-256 is $found, wanted $wanted; nothing was changed"
  tar -xzf "$work/$archive" -C "$work" "perpetua-$target/perpetua" || fail "$archive was not unpacked; nothing was changed"

  mkdir -p "$dir" || fail "$dir cannot be made; name another with --dir"
  next=$dir/.perpetua.$$
  mv "$work/perpetua-$target/perpetua" "$next" 2>/dev/null || fail "$dir cannot be written; name another with --dir"
  if ! version=$("$next" --version 2>&1); then
    rm -f "$next"
    case $target in
      *-musl) fail "it does not start here: $version; on Alpine: apk add libstdc++" ;;
      *) fail "it does not start here: $version; perhaps --target names another build" ;;
    esac
  fi
  [ ! -e "$dir/perpetua" ] || cp -p "$dir/perpetua" "$dir/perpetua.old"
  # In one step: a gateway that runs keeps its file.
  mv -f "$next" "$dir/perpetua"
  next=''
  say "Installed perpetua $version: $dir/perpetua"
}

say_next() {
  case ":$PATH:" in
    *":$dir:"*) program=perpetua ;;
    *)
      program=$dir/perpetua
      say "$dir is not in PATH. For this shell and those to come: export PATH=\"$dir:\$PATH\" (add it to ~/.profile)"
      ;;
  esac
  say "Next, in a folder for its config and data: $program init, then $program"
}

# Nothing runs before the whole script is there: a download of it may be cut, too.
main() {
  read_options "$@"
  [ -n "$target" ] || target=$(find_target)
  next=''
  work=$(mktemp -d)
  trap 'rm -rf "$work"; [ -z "$next" ] || rm -f "$next"' EXIT
  trap 'exit 130' INT TERM HUP
  install_program
  say_next
}

main "$@"
