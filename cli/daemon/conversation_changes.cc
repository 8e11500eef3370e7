// Requests that change the store.

#include <algorithm>
#include <utility>

#include "cli/client/requests.h"
#include "cli/daemon/conversation.h"

namespace kvfs::cli {

Result<std::vector<fs::PathOperation>> Conversation::ChangesOf(const Message& message) {
  failed_ = message.size() - 1;
  KVFS_TRY(CheckWritable());
  std::vector<fs::PathOperation> changes;
  changes.reserve(message.size() - 1);
  for (size_t i = 1; i < message.size(); ++i) {
    KVFS_ASSIGN(fs::PathOperation change, DecodeChange(message[i]));
    changes.push_back(std::move(change));
  }
  if (served_.inner_mounts) {
    KVFS_TRY(CheckKeepMounts(served_.inner_mounts(), changes, keys_, &failed_));
  }
  return changes;
}

Result<Message> Conversation::Apply(const Message& message) {
  KVFS_ASSIGN(const auto changes, ChangesOf(message));
  return Done(keys_.Apply(changes, &failed_));
}

// Reads the whole value even after a failure: the client waits for a reply only then.
Result<Message> Conversation::Put(const Message& message) {
  bool has_ended = false;
  Incoming incoming;
  const fs::ContentSource content = [&](MutableBytes buffer) -> Result<fs::ContentPiece> {
    while (incoming.IsEmpty() && !has_ended) KVFS_TRY(ReceivePiece(incoming, has_ended));
    const size_t count = std::min(incoming.bytes.size(), buffer.size());
    CopyBytes(buffer.data(), AsBytes(incoming.bytes).first(count));
    incoming.bytes.erase(0, count);
    return fs::ContentPiece{std::exchange(incoming.hole_bytes, 0), count};
  };
  Result<void> put = PutWith(message, content);
  while (!has_ended && !is_broken_) {
    if (!ReceivePiece(incoming, has_ended)) break;
  }
  return Done(put);
}

Result<void> Conversation::PutWith(const Message& message, const fs::ContentSource& content) {
  KVFS_ASSIGN(const auto changes, ChangesOf(message));
  if (changes.empty()) return Fail(ErrorCode::kInvalid, "a put needs a change");
  return keys_.ApplyWithContent(changes, content, &failed_);
}

Result<void> Conversation::ReceivePiece(Incoming& incoming, bool& has_ended) {
  auto message = channel_.Receive();
  if (message && message->size() == 3 && (*message)[0] == request::kData) {
    KVFS_ASSIGN(incoming.hole_bytes, DecodeNumber((*message)[1]));
    incoming.bytes = std::move((*message)[2]);
    return {};
  }
  if (message && message->size() == 1 && (*message)[0] == request::kEnd) {
    has_ended = true;
    return {};
  }
  if (message && message->size() == 1 && (*message)[0] == request::kCancel) {
    has_ended = true;
    return Fail(ErrorCode::kCancelled, "the command has cancelled it");
  }
  is_broken_ = true;
  return Fail(ErrorCode::kIo, "the command has ended");
}

}  // namespace kvfs::cli
