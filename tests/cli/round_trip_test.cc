// A generated tree through every format and through other programs: the result is identical to the
// last bit, except for what the export reported.
//
// The tree has all combinations of names, kinds, modes, times, contents and attributes.

#include <fstream>
#include <string>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

// Two programs in one file: `make DIRECTORY`, and `tell DIRECTORY`, which prints all properties of
// each entry on a line. Names are arbitrary bytes, so everything is done in bytes.
constexpr const char* kScript = R"(
import hashlib, itertools, os, stat, subprocess, sys

NAMES = [b'plain', b'with blank', b'new\nline', b'\xff\xfe', b'\xc3\xa4', b'-dash', b'.dot', b'n' * 255,
         b'n' * 100, b'\xe4' * 101, b'back\\slash', b'%41=', b"quote'\"", b'tab\t', b'\x01\x1b[m']
MODES = [0o644, 0, 0o4755, 0o2755, 0o1777, 0o7777, 0o600]
TIMES = [(1000000000, 0), (0, 0), (1, 999999999), (-1, 0), (-2, 1), (-1, 250000001), (-86401, 750000000),
         (2**31, 5), (2**32 + 7, 123456789), (-2**31, 0)]
CONTENTS = [b'', b'x', b'\0' * 70000, b'a\nb\0' * 3000, os.urandom(5000)]

def set_time(path, time, **how):
    ns = time[0] * 10**9 + time[1]
    os.utime(path, ns=(ns, ns), **how)

def make(top):
    os.makedirs(top)
    top = os.fsencode(top)
    times, modes, contents = itertools.cycle(TIMES), itertools.cycle(MODES), itertools.cycle(CONTENTS)
    late = []
    for d in [b'd', b'd/deep', b'd/deep/er', b'empty', b'd/' + NAMES[2], b'd/' + NAMES[3]]:
        os.mkdir(top + b'/' + d)
        late.append((top + b'/' + d, next(times)))
    for where, name in itertools.product([b'', b'd/deep/er/', b'd/' + NAMES[3] + b'/'], NAMES):
        path = top + b'/' + where + name
        open(path, 'wb').write(next(contents))
        os.chown(path, 1234, 5678)
        os.chmod(path, next(modes))
        set_time(path, next(times))
    for i, (mode, time, content) in enumerate(itertools.product(MODES, TIMES, CONTENTS)):
        path = top + b'/d/f%d' % i
        open(path, 'wb').write(content)
        os.chmod(path, mode)
        set_time(path, time)
    for i, name in enumerate(NAMES):
        path = top + b'/empty/l' + name[:200]
        os.symlink([b'plain', b'../x', b'\xff' * 90, b'/' + b't' * 4094, b'a b\n', b'\xc3\xa4' * 60][i % 6], path)
        set_time(path, next(times), follow_symlinks=False)
    for i, name in enumerate(NAMES):
        os.link(top + b'/' + name, top + b'/d/h' + name[:200])
    os.mkfifo(top + b'/fifo')
    os.mknod(top + b'/char', stat.S_IFCHR | 0o640, os.makedev(5, 300000))
    os.mknod(top + b'/block', stat.S_IFBLK | 0o600, os.makedev(4095, 7))
    for name in (b'fifo', b'char', b'block'): set_time(top + b'/' + name, next(times))
    with open(top + b'/sparse', 'wb') as f:
        f.truncate(30 << 20); f.seek(10 << 20); f.write(b'middle'); f.seek((30 << 20) - 3); f.write(b'end')
    set_time(top + b'/sparse', (5, 5))
    for path, names in ((b'/plain', [b'user.a', b'user.' + b'n' * 250, b'user.a=b', b'user.%25', b'user.\xc3\xa4']),
                        (b'/d', [b'user.of-directory'])):
        for i, name in enumerate(names): os.setxattr(top + path, name, [b'', b'value', b'\0\xff\n='][i % 3])
    os.setxattr(top + b'/d/f0', b'user.large', os.urandom(3000))
    for acl, path in (('u:1234:rw,g:5678:r,m:rw', b'/with blank'), ('u:1:rwx', b'/d/f7'), ('d:u:3:rwx', b'/empty'),
                      ('u:1:r,d:g:2:rx,d:u:3:w', b'/d/deep')):
        subprocess.run(['setfacl', '-m', acl, top + path], check=True)
    for path, time in reversed(late): set_time(path, time)
    set_time(top, (7, 7))

def tell(top, has_holes):
    top = os.fsencode(top)
    paths = [b'.']
    for directory, dirs, files in os.walk(top):
        paths += [os.path.relpath(os.path.join(directory, n), top) for n in dirs + files]
    first = {}
    for path in sorted(paths):
        s = os.lstat(os.path.join(top, path))
        line = [path, oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns]
        if not stat.S_ISDIR(s.st_mode): line += [s.st_nlink, first.setdefault(s.st_ino, path)]
        if stat.S_ISREG(s.st_mode):
            line += [s.st_size, hashlib.sha256(open(os.path.join(top, path), 'rb').read()).hexdigest()]
            if has_holes and path == b'sparse': line.append(s.st_blocks < 2000)
        if stat.S_ISLNK(s.st_mode): line.append(os.readlink(os.path.join(top, path)))
        if s.st_rdev: line.append(s.st_rdev)
        for name in sorted(os.listxattr(os.path.join(top, path), follow_symlinks=False)):
            line += [name, os.getxattr(os.path.join(top, path), name, follow_symlinks=False)]
        print(line)

make(sys.argv[2]) if sys.argv[1] == 'make' else tell(sys.argv[2], sys.argv[3] == 'holes')
)";

class RoundTrips : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    std::ofstream(Path("tree.py")) << kScript;
    Sh("python3 tree.py make tree");
  }
  std::string Sh(const std::string& command) {
    const ProgramRun run = RunShell("cd '" + directory() + "' && umask 077 && " + command);
    EXPECT_EQ(run.status, 0) << command << ": " << run.err;
    return run.out;
  }
  // Line by line, so that a difference is readable.
  void ExpectSame(const std::string& tree, const std::string& holes = "holes") {
    Sh("python3 tree.py tell tree " + holes + " > want && python3 tree.py tell " + tree + " " +
       holes + " > got");
    EXPECT_EQ(RunShell("cd '" + directory() + "' && diff want got | cut -c 1-300").out, "");
  }
  void ExpectStored(const std::string& store) {
    Sh("rm -rf back");
    Run({"export", "--to", "tree", store, Path("back")});
    ExpectSame("back");
  }
};

TEST_F(RoundTrips, Trees) {
  Run({"import", Path("tree"), store()});
  ExpectStored(store());
  Run({"import", Path("back"), store()});
  ExpectStored(store());
}

TEST_F(RoundTrips, TreesOfAMountedStore) {
  Mount();
  Run({"import", Path("tree"), store()});
  ExpectStored(store());
}

TEST_F(RoundTrips, Archives) {
  Run({"import", Path("tree"), store()});
  Run({"export", store(), Path("out.tar")});
  Run({"import", "--create", "--from", "tar", Path("out.tar"), Path("other")});
  ExpectStored(Path("other"));
}

TEST_F(RoundTrips, JsonLines) {
  Run({"import", Path("tree"), store()});
  Run({"export", "--to", "jsonl", store(), Path("out.jsonl")});
  Run({"import", "--create", "--from", "jsonl", Path("out.jsonl"), Path("other")});
  ExpectStored(Path("other"));
}

// GNU tar does not support hard links of special files.
TEST_F(RoundTrips, ArchivesOfGnuTar) {
  for (const char* how :
       {"--xattrs --xattrs-include='*'", "--xattrs --xattrs-include='*' --acls --sparse"}) {
    Sh("tar -H posix " + std::string(how) + " -cf in.tar -C tree .");
    Run({"import", "--create", "--from", "tar", Path("in.tar"),
         Path(std::string("s") + std::to_string(std::string(how).size()))});
    ExpectStored(Path(std::string("s") + std::to_string(std::string(how).size())));
  }
}

// It does not decode names of attributes, except for '=' and '%'.
TEST_F(RoundTrips, ArchivesForGnuTar) {
  Sh("setfattr -x user.\xc3\xa4 tree/plain");
  Run({"import", Path("tree"), store()});
  Run({"export", store(), Path("out.tar")});
  Sh("mkdir back && tar --xattrs --xattrs-include='*' -xpf out.tar -C back");
  ExpectSame("back");
}

// bsdtar writes fractions before 1970 as it reads them, forward from the whole second: such times
// are omitted here. So are names of attributes with '=' or '%', which it writes unencoded.
TEST_F(RoundTrips, ArchivesOfBsdtar) {
  Sh("setfattr -x user.a=b tree/plain; setfattr -x user.%25 tree/plain; "
     "find tree -newermt '1900-01-01' ! -newermt '1970-01-01' -exec touch -hd "
     "'1969-12-31T00:00:00Z' {} +");
  Sh("bsdtar --format pax --xattrs --acls -cf in.tar -C tree .");
  Run({"import", "--from", "tar", Path("in.tar"), store()});
  ExpectStored(store());
}

TEST_F(RoundTrips, ValuesThroughLmdb) {
  Sh("find tree -mindepth 1 ! -type f ! -type d -delete; mkdir map");
  Run({"import", Path("tree"), store()});
  for (int round = 0; round < 2; ++round) {
    const ProgramRun run = RunKvfs({"export", "--to", "lmdb", store(), Path("dump")});
    EXPECT_EQ(run.status, 0) << run.err;
    Sh("rm -f map/* && mdb_load -f dump map && mdb_dump map > again");
    Run({"import", "--create", "--from", "lmdb", Path("again"), Path("other")});
    Sh("rm -rf back && rmdir tree/empty tree/d/new* 2> /dev/null; true");
    Run({"export", "--to", "tree", Path("other"), Path("back")});
    Sh("diff -r --no-dereference tree back");
  }
}

}  // namespace
}  // namespace kvfs::cli
