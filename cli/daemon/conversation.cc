// Dispatches requests, and answers those that read.

#include "cli/daemon/conversation.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "cli/base/version.h"
#include "cli/client/requests.h"
#include "fs/fuse/statistics.h"

namespace kvfs::cli {
namespace {

constexpr std::chrono::milliseconds kProgressPause{100};

}  // namespace

Message Conversation::Ok(std::vector<std::string> fields) {
  fields.insert(fields.begin(), std::string(request::kOk));
  return fields;
}

Result<Message> Conversation::Done(const Result<void>& result) {
  return result.map([] { return Ok(); });
}

Conversation::Conversation(Channel& channel, const Served& served, const fs::Caller& peer)
    : channel_(channel),
      served_(served),
      keys_(served.store, served.file_system, peer, served.on_changed) {}

void Conversation::Run() {
  while (true) {
    const auto message = channel_.Receive();
    if (!message || message->empty()) return;
    failed_ = 0;
    auto answer = Dispatch(*message);
    if (!answer && is_broken_) return;
    const auto sent = channel_.Send(answer ? *answer : ErrorMessage(answer.error()));
    if (!sent) return;
  }
}

Message Conversation::ErrorMessage(const Error& error) const {
  return {std::string(request::kError), EncodeNumber(static_cast<uint64_t>(error.code)),
          error.message, EncodeNumber(failed_)};
}

Result<Message> Conversation::Dispatch(const Message& message) {
  const std::string& verb = message[0];
  if (verb == request::kHello) return Greet(message);
  if (!is_greeted_) return Fail(ErrorCode::kInvalid, "a connection must begin with a greeting");
  if (verb == request::kApply) return Apply(message);
  if (verb == request::kPut) return Put(message);
  if (verb == request::kFreeze) return Done(keys_.Freeze());
  if (verb == request::kSync) return Done(served_.file_system.Sync());
  if (verb == request::kOptions) return Ok(served_.options);
  if (verb == request::kStats) return Stats();
  if (verb == request::kCheck) return Check();
  if (verb == request::kCompact) {
    return Done(CheckWritable().and_then([&] { return served_.store.Compact(); }));
  }
  if (message.size() != 2) return Fail(ErrorCode::kInvalid, "a request has no path");
  return DispatchPath(verb, message[1]);
}

Result<Message> Conversation::DispatchPath(const std::string& verb, const std::string& path) {
  if (verb == request::kStat) {
    return keys_.Stat(path).map([](const auto& inode) { return Ok({EncodeInode(inode)}); });
  }
  if (verb == request::kReadLink) {
    return keys_.ReadLink(path).map([](const auto& target) { return Ok({target}); });
  }
  if (verb == request::kList) return List(path);
  if (verb == request::kGet) return GetData(path);
  if (verb == request::kRanges) return GetDataRanges(path);
  if (verb == request::kXattrs) {
    return keys_.GetXattrs(path).map([](const auto& x) { return Ok({fs::EncodeXattrs(x)}); });
  }
  return Fail(ErrorCode::kInvalid, fmt::format("the daemon does not know the request {}", verb));
}

// A failure ends the conversation, since it cannot be reported.
Result<void> Conversation::Send(const Message& message) {
  auto sent = channel_.Send(message);
  is_broken_ = is_broken_ || !sent;
  return sent;
}

Result<Message> Conversation::Greet(const Message& message) {
  if (message.size() < 3 || message[1] != kVersion || message[2] != EncodeNumber(kProtocol)) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("its daemon has version {} with protocol {}, this command has another; "
                            "unmount the store and mount it again",
                            kVersion, kProtocol));
  }
  if (message.size() != 4) return Fail(ErrorCode::kInvalid, "the greeting has no umask");
  KVFS_ASSIGN(const uint64_t umask, DecodeNumber(message[3]));
  keys_.SetUmask(static_cast<uint32_t>(umask));
  is_greeted_ = true;
  return Ok();
}

Result<void> Conversation::CheckWritable() const {
  if (!served_.is_read_only()) return {};
  return Fail(ErrorCode::kReadOnly, "the store is mounted read-only");
}

// Entries found before an error are sent before it.
Result<Message> Conversation::List(const std::string& path) {
  std::string entries;
  const auto send = [&]() -> Result<void> {
    if (entries.empty()) return {};
    return Send({std::string(request::kEntries), std::exchange(entries, {})});
  };
  const auto take = [&](std::string_view name, const fs::InodeInfo& inode) -> Result<void> {
    AppendEntry(entries, name, inode);
    return entries.size() < kEntriesBytes ? Result<void>() : send();
  };
  const auto listed = keys_.List(path, take);
  KVFS_TRY(send());
  return Done(listed);
}

Result<Message> Conversation::GetData(const std::string& path) {
  KVFS_ASSIGN(const uint64_t size, keys_.GetData(path, [&](uint64_t offset, Bytes piece) {
    return Send({std::string(request::kData), EncodeNumber(offset), std::string(AsText(piece))});
  }));
  return Ok({EncodeNumber(size)});
}

Result<Message> Conversation::GetDataRanges(const std::string& path) {
  KVFS_ASSIGN(const auto ranges, keys_.GetDataRanges(path));
  std::vector<std::string> numbers;
  for (const fs::ByteRange& range : ranges) {
    numbers.push_back(EncodeNumber(range.offset));
    numbers.push_back(EncodeNumber(range.length));
  }
  return Ok(std::move(numbers));
}

Result<Message> Conversation::Stats() const {
  const StoreStats stats = served_.store.GetStats();
  std::vector<std::string> numbers;
  for (const fs::Statistic& row : fs::Statistics()) {
    numbers.push_back(EncodeNumber(stats.*row.value));
  }
  return Ok(std::move(numbers));
}

Result<Message> Conversation::Check() {
  CheckOptions options;
  options.on_finding = [this](const CheckFinding& finding) {
    static_cast<void>(Send({std::string(request::kFinding),
                            EncodeNumber(static_cast<uint64_t>(finding.kind)), finding.message}));
  };
  auto next = std::chrono::steady_clock::now();
  options.on_progress = [&](const CheckProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next) return !is_broken_;
    next = now + kProgressPause;
    return Send({std::string(request::kProgress), EncodeNumber(progress.bytes_checked),
                 EncodeNumber(progress.bytes_total)})
        .has_value();
  };
  // A check reads the disk, so changes in memory are written first. If that fails, the store is
  // checked nevertheless.
  static_cast<void>(served_.store.Checkpoint());
  KVFS_ASSIGN(const CheckReport report, served_.store.Check(options));
  std::vector<std::string> numbers;
  for (const uint64_t number :
       {report.entries, report.pages, report.blocks, report.damages, report.space_findings,
        report.notes, report.log_records, report.log_entries, report.checkpoint_entries}) {
    numbers.push_back(EncodeNumber(number));
  }
  return Ok(std::move(numbers));
}

}  // namespace kvfs::cli
