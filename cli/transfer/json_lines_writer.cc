// Writes entries as lines of JSON.

#include <fmt/format.h>

#include <utility>

#include "cli/base/json_text.h"
#include "cli/transfer/json_lines_format.h"
#include "cli/transfer/key_format.h"

namespace kvfs::cli {
namespace {

Json JsonOf(const fs::XattrMap& xattrs) {
  Json list = Json::array();
  for (const auto& [name, value] : xattrs) {
    Json item;
    SetBytes(item, "name", name);
    SetBytes(item, "value", value);
    list.push_back(std::move(item));
  }
  return list;
}

class JsonLinesWriter final : public EntryWriter {
 public:
  explicit JsonLinesWriter(const ByteSink& out) : out_(out) {}

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    const fs::Attributes& a = key.inode.attributes;
    Json line;
    SetBytes(line, "path", path);
    if (const auto first = FirstNameOf(key.inode, path)) {
      SetBytes(line, "same_as", *first);
      return Write(line);
    }
    line["kind"] = KindName(a);
    if (a.IsRegular()) {
      KVFS_ASSIGN(const std::string value, GetWhole(keys, key.path, kMaxBatchBytes));
      SetBytes(line, "value", value);
    } else if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(const std::string target, keys.ReadLink(key.path));
      SetBytes(line, "target", target);
    }
    line["mode"] = fmt::format("{:04o}", a.mode & 07777);
    line["uid"] = a.uid;
    line["gid"] = a.gid;
    line["mtime"] = TimeText(a.mtime);
    if (a.ctime != a.mtime) line["ctime"] = TimeText(a.ctime);
    if (a.atime != a.mtime) line["atime"] = TimeText(a.atime);
    if (a.device != 0) line["device"] = a.device;
    KVFS_ASSIGN(const fs::XattrMap xattrs, XattrsOf(keys, key, path));
    if (!xattrs.empty()) line["xattrs"] = JsonOf(xattrs);
    return Write(line);
  }

  Result<void> Finish() override {
    const std::string full = std::exchange(buffer_, {});
    auto written = out_(AsBytes(full));
    if (!written) NoteFailure();
    return written;
  }

 private:
  Result<void> Write(const Json& line) {
    buffer_ += ToLine(line) + '\n';
    return buffer_.size() < kLargeContentBytes ? Result<void>() : Finish();
  }

  const ByteSink out_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<EntryWriter> MakeJsonLinesWriter(const ByteSink& out) {
  return std::make_unique<JsonLinesWriter>(out);
}

}  // namespace kvfs::cli
