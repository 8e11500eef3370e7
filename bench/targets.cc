// Each target is a comparison of two medians of one run.
#include "bench/targets.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/keys.h"
#include "bench/quantity.h"

namespace kvfs::bench {
namespace {

using Engines = std::vector<std::string_view>;

const Engines kLmdb = {"lmdb", "lmdb-wm"};
const Engines kTkrzw = {"tkrzw"};
const Engines kBare = {"bare"};
// Whose unsynced changes leave a whole store when the power fails. With a writable map LMDB is
// none: lmdb.h promises that without syncs only where MDB_WRITEMAP is not used.
const Engines kCrashSafe = {"lmdb", "leveldb", "rocksdb", "sqlite"};

// The least of a figure among engines, and whose it is.
struct Best {
  double value = 0;
  std::string_view engine;
};

class Judge {
 public:
  Judge(const Summary& summary, const DataSet& data_set) : summary_(summary), data_set_(data_set) {}

  // kvfs is at least `wanted` times as fast as the fastest of `peers`.
  void Faster(std::string target, std::string_view workload, const Engines& peers, double wanted) {
    const Figures* const own = Own(workload);
    const auto best = BestOf(workload, peers, &Figures::microseconds);
    if (own == nullptr || !best) return NotMeasured(std::move(target));
    const double ratio = best->value / own->microseconds;
    Add(std::move(target),
        fmt::format("{:.2f} times {} ({} of {} us)", ratio, best->engine,
                    ThreeDigits(own->microseconds), ThreeDigits(best->value)),
        ratio >= wanted);
  }

  // kvfs takes at most `allowed` times what the least of `peers` does.
  void AtMost(std::string target, std::string_view workload, const Engines& peers,
              double Figures::*figure, double allowed) {
    const Figures* const own = Own(workload);
    const auto best = BestOf(workload, peers, figure);
    if (own == nullptr || !best) return NotMeasured(std::move(target));
    const double ratio = own->*figure / best->value;
    Add(std::move(target), fmt::format("{:.2f} times {}", ratio, best->engine), ratio <= allowed);
  }

  void ThreadsHelp(std::string target, double wanted) {
    const Figures* const one = Own("putsync1");
    const Figures* const eight = Own("putsync8");
    if (one == nullptr || eight == nullptr) return NotMeasured(std::move(target));
    const double ratio = one->microseconds / eight->microseconds;
    Add(std::move(target), fmt::format("{:.2f} times", ratio), ratio >= wanted);
  }

  // The store takes at most `allowed` times (key + value + meta + 16) bytes an entry.
  void Small(std::string target, std::string_view workload, double allowed) {
    const Figures* const own = Own(workload);
    if (own == nullptr) return NotMeasured(std::move(target));
    const double entry = own->disk_bytes / static_cast<double>(data_set_.entries);
    const double ratio = entry / static_cast<double>(kKeyBytes + data_set_.value_bytes + 16);
    Add(std::move(target), fmt::format("{:.2f} times ({} bytes)", ratio, ThreeDigits(entry)),
        ratio <= allowed);
  }

  std::vector<Verdict> Take() { return std::move(verdicts_); }

 private:
  const Figures* Own(std::string_view workload) const {
    return summary_.Find(data_set_, workload, "kvfs");
  }

  std::optional<Best> BestOf(std::string_view workload, const Engines& peers,
                             double Figures::*figure) const {
    std::optional<Best> best;
    for (const std::string_view peer : peers) {
      const Figures* const figures = summary_.Find(data_set_, workload, peer);
      if (figures == nullptr || figures->*figure <= 0) continue;
      if (!best || figures->*figure < best->value) best = Best{figures->*figure, peer};
    }
    return best;
  }

  void Add(std::string target, std::string figure, bool met) {
    verdicts_.push_back({std::move(target), std::move(figure),
                         met ? Verdict::Outcome::kMet : Verdict::Outcome::kMissed});
  }
  void NotMeasured(std::string target) { verdicts_.push_back({.target = std::move(target)}); }

  const Summary& summary_;
  const DataSet& data_set_;
  std::vector<Verdict> verdicts_;
};

}  // namespace

std::vector<Verdict> JudgeTargets(const Summary& summary, const DataSet& data_set) {
  Judge judge(summary, data_set);
  judge.Faster("get, warm: at least 1.3 times LMDB", "getwarm", kLmdb, 1.3);
  judge.Faster("get, warm: not behind Tkrzw", "getwarm", kTkrzw, 1);
  judge.Faster("get of absent keys: at least 1.5 times LMDB", "getmiss", kLmdb, 1.5);
  judge.Faster("put in batches: at least twice the best", "fillbatch", kCrashSafe, 2);
  judge.Faster("single puts: at least twice the best", "fillrandom", kCrashSafe, 2);
  judge.Faster("overwrite: at least 1.5 times the best", "overwrite", kCrashSafe, 1.5);
  judge.AtMost("put with sync: at most 1.15 times the bare time", "putsync1", kBare,
               &Figures::microseconds, 1.15);
  judge.ThreadsHelp("put with sync, eight threads: at least 3 times one thread", 3);
  judge.Faster("get, cold: not behind LMDB", "getcold", kLmdb, 1);
  judge.Faster("scan: at least 0.8 times LMDB", "scan", kLmdb, 0.8);
  judge.Small("disk after random puts: at most 1.45 (key + value + meta + 16)", "fillrandom", 1.45);
  judge.AtMost("disk after random puts: not above LMDB", "fillrandom", kLmdb, &Figures::disk_bytes,
               1);
  judge.Small("disk after Compact: at most 1.1 (key + value + meta + 16)", "compact", 1.1);
  judge.AtMost("bytes written, single puts: not above LMDB", "fillrandom", kLmdb,
               &Figures::written_bytes, 1);
  judge.AtMost("bytes written, batches: not above LMDB", "fillbatch", kLmdb,
               &Figures::written_bytes, 1);
  return judge.Take();
}

}  // namespace kvfs::bench
