# Sourced by the programs in tools/. The only list of what a machine needs for building kvfs,
# running its tests, fuzzing its parsers and comparing it with other stores. On Debian and its
# derivatives, missing packages are installed in one call; elsewhere they are reported, and the
# caller continues if the programs exist.
#
# Also sets HOME if the environment has none: Bazel keeps its cache there.

: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME

bazel_packages=(bazel-bootstrap bazel-rules-java bazel-rules-proto)
build_packages=(
  g++ pkg-config libfuse3-dev fuse3
  libgtest-dev libgmock-dev libxxhash-dev libcli11-dev libfmt-dev nlohmann-json3-dev
  libexpected-dev libarchive-dev libssl-dev zlib1g-dev
)
# Real tools used by mounted tests.
test_packages=(
  acl attr bsdutils btrfs-progs diffutils e2fsprogs findutils git groff-base inotify-tools jq
  libarchive-tools lmdb-utils make mount procps python3 rsync sqlite3 systemd tar util-linux vim
)
# The stores that tools/bench compares kvfs with.
bench_packages=(liblmdb-dev libleveldb-dev librocksdb-dev libsqlite3-dev libtkrzw-dev)
fuzz_packages=(clang libclang-rt-dev)
deb_packages=(dpkg-dev)
# A program of each package above, by which it is recognised.
build_programs=(bazel g++ pkg-config fusermount3)
test_programs=(
  bsdtar mkfs.btrfs setfacl setfattr script diff find git groff inotifywait jq mdb_load make findmnt
  ps python3 rsync sqlite3 systemd-analyze tar flock vim
)
fuzz_programs=(clang)

say() { echo "$(basename "$0"): $*" >&2; }

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# A Bazel from elsewhere (such as Bazelisk) is used as it is.
has_foreign_bazel() { command -v bazel >/dev/null && ! is_installed bazel-bootstrap; }

missing_packages() {
  local package
  for package in "$@"; do
    is_installed "$package" || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Prints the installer's output only if it fails.
install_packages() {
  local log
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    say "there is no sudo; as root, run: apt-get install $*"
    return 1
  fi
  log=$(mktemp)
  say "installing $* (log: $log)"
  if as_root apt-get update -qq >"$log" 2>&1 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
      "$@" >>"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return
  fi
  cat "$log" >&2
  say "could not install: $*"
  return 1
}

tell_what_is_needed() {
  say "this is not Debian: nothing is installed for you. kvfs needs Bazel 4.2.3 or newer, g++ 12" \
    "or newer, pkg-config, the fuse3 programs, and the development files of libfuse 3.14 or" \
    "newer, googletest, googlemock, xxhash, CLI11, fmt, nlohmann-json, tl-expected, libarchive," \
    "OpenSSL and zlib. The Debian packages: ${bazel_packages[*]} $*"
}

# Exits with status 1 if a program is missing; a missing library is reported by the build.
require_programs() {
  local program absent=()
  for program in "$@"; do
    command -v "$program" >/dev/null || absent+=("$program")
  done
  [ ${#absent[@]} = 0 ] && return
  say "not found: ${absent[*]}"
  return 1
}

# ensure_packages build | test | bench | fuzz | deb: installs everything needed for that, or exits
# with 1.
ensure_packages() {
  local packages=("${build_packages[@]}") programs=("${build_programs[@]}") missing
  case $1 in
    test)
      packages+=("${test_packages[@]}")
      programs+=("${test_programs[@]}")
      ;;
    bench) packages+=("${bench_packages[@]}") ;;
    deb) packages+=("${deb_packages[@]}") ;;
    fuzz)
      packages+=("${fuzz_packages[@]}")
      programs+=("${fuzz_programs[@]}")
      ;;
  esac
  if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    has_foreign_bazel || packages+=("${bazel_packages[@]}")
    mapfile -t missing < <(missing_packages "${packages[@]}")
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}" || return
  else
    tell_what_is_needed "${packages[@]}"
  fi
  require_programs "${programs[@]}"
}
