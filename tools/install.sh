#!/bin/bash
# bazel run //:install -- [--prefix DIR] [--destdir DIR] [--uninstall]: the program, its other names,
# manual pages, completions and the systemd unit; and the library: headers, libkvfs.a and kvfs.pc.
#
# PREFIX is /usr/local by default. Files go below DESTDIR, for packaging. --uninstall, with the same
# directories, removes what was installed.
set -euo pipefail

prefix=/usr/local destdir='' uninstall=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2:?--prefix needs a directory}; shift 2 ;;
    --destdir) destdir=${2:?--destdir needs a directory}; shift 2 ;;
    --uninstall) uninstall=1; shift ;;
    *) echo "usage: bazel run //:install -- [--prefix DIR] [--destdir DIR] [--uninstall]" >&2
       exit 1 ;;
  esac
done
case $prefix in /*) ;; *) echo "install: the prefix $prefix is not absolute" >&2; exit 1 ;; esac
root=$destdir$prefix

# Bazel starts this in a directory that contains its input files.
program=$PWD/kvfs
version=$("$program" version | sed -n '1s/^kvfs \([^ ]*\).*/\1/p')

links=(sbin/mount.kvfs sbin/fsck.kvfs)
files=(
  bin/kvfs
  share/man/man1/kvfs.1 share/man/man5/kvfs.5 share/man/man8/mount.kvfs.8
  share/man/man8/fsck.kvfs.8
  share/bash-completion/completions/kvfs share/zsh/site-functions/_kvfs
  share/fish/vendor_completions.d/kvfs.fish
  lib/systemd/system/kvfs@.service
  lib/libkvfs.a lib/pkgconfig/kvfs.pc
)
for header in include/kvfs/*.h; do files+=("$header"); done

# The content of a file to install.
content() {
  case $1 in
    bin/kvfs) cat "$program" ;;
    *.1) "$program" manual ;;
    *.5 | *.8) cat "docs/man/$(basename "$1")" ;;
    share/bash-completion/*) "$program" completion bash ;;
    share/zsh/*) "$program" completion zsh ;;
    share/fish/*) "$program" completion fish ;;
    lib/libkvfs.a) cat libkvfs.a ;;
    include/*) cat "$1" ;;
    *.pc) sed "s|@PREFIX@|$prefix|; s|@VERSION@|$version|" tools/kvfs.pc.in ;;
    # systemd needs the absolute path of a program outside the usual directories.
    *.service) sed "s|^ExecStart=kvfs |ExecStart=$prefix/bin/kvfs |" tools/systemd/kvfs@.service ;;
  esac
}

if [ -n "$uninstall" ]; then
  for file in "${files[@]}" "${links[@]}"; do rm -f -- "$root/$file"; done
  exit
fi

for file in "${files[@]}"; do
  mkdir -p -- "$(dirname "$root/$file")"
  # Renames a new file into place, so that a running daemon keeps the old program.
  content "$file" > "$root/$file.new"
  case $file in bin/*) chmod 755 "$root/$file.new" ;; *) chmod 644 "$root/$file.new" ;; esac
  mv -f -- "$root/$file.new" "$root/$file"
done
for link in "${links[@]}"; do
  mkdir -p -- "$(dirname "$root/$link")"
  ln -sfn ../bin/kvfs "$root/$link"
done

echo "installed kvfs in $root"
case $prefix in
  /usr | /) ;;
  *) echo "for \`mount -t kvfs\` and /etc/fstab: ln -s $prefix/bin/kvfs /sbin/mount.kvfs" ;;
esac
