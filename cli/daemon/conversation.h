// One command's connection in the daemon: what each request of cli/client/requests.h does.
//
// Requests are processed one after another, by the thread that reads them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <kvfs/store.h>
#include "cli/client/channel.h"
#include "cli/client/file_system_keys.h"
#include "cli/client/inner_mounts.h"

namespace kvfs::cli {

struct Served {
  Store& store;
  fs::FileSystem& file_system;
  std::vector<std::string> options;    // the texts of its mount options
  std::function<bool()> is_read_only;  // whether commands must not change it now
  ChangeListener on_changed;           // called, like the functions here, from any thread
  std::function<std::vector<InnerMount>()> inner_mounts = {};  // which commands must not remove
};

// Serves one connection until the client disconnects.
class Conversation {
 public:
  Conversation(Channel& channel, const Served& served, const fs::Caller& peer);

  void Run();

 private:
  struct Incoming {
    uint64_t hole_bytes = 0;
    std::string bytes;

    bool IsEmpty() const { return hole_bytes == 0 && bytes.empty(); }
  };

  // The reply `ok`, with fields; and `ok`, or the error.
  static Message Ok(std::vector<std::string> fields = {});
  static Result<Message> Done(const Result<void>& result);
  Message ErrorMessage(const Error& error) const;

  Result<Message> Dispatch(const Message& message);
  Result<Message> DispatchPath(const std::string& verb, const std::string& path);
  Result<void> Send(const Message& message);
  Result<Message> Greet(const Message& message);
  Result<void> CheckWritable() const;
  Result<Message> List(const std::string& path);
  Result<Message> GetData(const std::string& path);
  Result<Message> GetDataRanges(const std::string& path);
  Result<Message> Stats() const;
  Result<Message> Check();

  // In conversation_changes.cc.
  Result<std::vector<fs::PathOperation>> ChangesOf(const Message& message);
  Result<Message> Apply(const Message& message);
  Result<Message> Put(const Message& message);
  Result<void> PutWith(const Message& message, const fs::ContentSource& content);
  Result<void> ReceivePiece(Incoming& incoming, bool& has_ended);

  Channel& channel_;
  const Served& served_;
  FileSystemKeys keys_;
  bool is_greeted_ = false;
  bool is_broken_ = false;
  size_t failed_ = 0;  // of the changes asked for
};

}  // namespace kvfs::cli
