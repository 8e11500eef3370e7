// write_seeds TARGET DIRECTORY: writes the target's seeds as files, from which libFuzzer starts.
// Without arguments: prints the names of all targets.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/target.h"

int main(int argc, char** argv) {
  using namespace kvfs::fuzz;
  if (argc == 1) {
    for (const Target* target : AllTargets()) std::puts(std::string(target->name).c_str());
    return 0;
  }
  const Target* target = argc == 3 ? FindTarget(argv[1]) : nullptr;
  if (target == nullptr) {
    std::fputs("usage: write_seeds [TARGET DIRECTORY]\n", stderr);
    return 1;
  }
  int number = 0;
  for (const Input& seed : target->seeds()) {
    const auto path = std::filesystem::path(argv[2]) / ("seed-" + std::to_string(number++));
    std::ofstream file(path, std::ios::binary);
    const std::string_view text = kvfs::AsText(seed);
    if (!file.write(text.data(), static_cast<std::streamsize>(text.size())).flush()) {
      std::fprintf(stderr, "write_seeds: cannot write %s\n", path.c_str());
      return 1;
    }
  }
  return 0;
}
