// A FAT image for the benchmarks, made by mkfs.fat on tmpfs so that the host's disk is not what is measured.
#pragma once

#include <cstdlib>
#include <string>

namespace bench {

class Image {
 public:
  /// @param fat  12, 16 or 32
  Image(int fat, int mib) {
    path_ = "/dev/shm/ntio-bench-" + std::to_string(::rand()) + "-" + std::to_string(fat) + ".img";
    const std::string command = "truncate -s " + std::to_string(mib) + "M " + path_ + " && mkfs.fat -F " +
                                std::to_string(fat) + " " + path_ + " >/dev/null";
    if (std::system(command.c_str()) != 0) std::abort();
  }
  ~Image() { static_cast<void>(std::remove(path_.c_str())); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace bench
