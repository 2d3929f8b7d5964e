// Copier: one source with all below it, between the host and the volume or within the volume. Data goes through a
// synchronous cached handle, as a Windows program's copy would: the first request of a file by IRP, the following ones
// by fast I/O.
//
// What of a tree cannot be copied is reported and left out; a file that was begun and not finished is removed.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "front/cli/machine_options.h"
#include "ntio/machine.h"

namespace cli {

class Copier {
 public:
  Copier(ntio::Machine& machine, const MachineArguments& arguments, bool recursive);

  void HostToVolume(const std::filesystem::path& source, const std::u16string& target);
  void VolumeToHost(const std::u16string& source, const std::filesystem::path& target);
  void VolumeToVolume(const std::u16string& source, const std::u16string& target);

 private:
  using HostIdentity = std::pair<uint64_t, uint64_t>;  // device, inode

  void FileToVolume(const std::filesystem::path& source, const std::u16string& target, int64_t written);
  void FileToHost(const std::u16string& source, const std::filesystem::path& target, const ntio::FileInfo& info);
  void FileWithin(const std::u16string& source, const std::u16string& target, const ntio::FileInfo& info);
  void TreeWithin(const std::u16string& source, const std::u16string& target);
  void NeedRecursive(const std::string& context) const;
  void RefuseItself(const std::u16string& source, const ntio::FileInfo& info, const std::u16string& target) const;
  void MakeDirectory(const std::u16string& path);
  template <class F>
  void ForEachChunk(const std::string& context, ntio::File& input, F&& consume);

  ntio::Machine& machine_;
  const MachineArguments& arguments_;
  const bool recursive_;
  ntio::Buffer buffer_;
  std::vector<HostIdentity> above_;  // the directories of the host that are being copied, outermost first
};

}  // namespace cli
