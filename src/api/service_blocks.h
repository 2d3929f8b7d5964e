// Service blocks: the arguments of service calls, in requestor memory as a Windows program's would be, since services probe
// them. A thread keeps the block of its last call for its next one, so that a steady caller takes no lock.
#pragma once

#include <memory>
#include <vector>

#include "ntifs.h"
#include "src/base/lock.h"

namespace ntio {

struct ServiceBlock {
  IO_STATUS_BLOCK iosb;
  LARGE_INTEGER offset;
  LARGE_INTEGER allocation;
  HANDLE handle;
  OBJECT_ATTRIBUTES attributes;
  UNICODE_STRING name;
  union {
    FILE_BASIC_INFORMATION basic;
    FILE_STANDARD_INFORMATION standard;
    FILE_INTERNAL_INFORMATION internal;
    FILE_END_OF_FILE_INFORMATION end_of_file;
    FILE_DISPOSITION_INFORMATION disposition;
  };
  static constexpr size_t kDataBytes = 72 * 1024;  // a name of 64 KiB with a structure before it, or bounced data
  alignas(4096) char data[kDataBytes];
};

/// The blocks of one machine.
class ServiceBlocks : public std::enable_shared_from_this<ServiceBlocks> {
 public:
  ServiceBlock* Take();
  void Give(ServiceBlock* block);
  /// Frees every block; those that threads keep are forgotten. No call is in progress. At shutdown.
  void Close();

 private:
  friend struct KeptBlock;
  void GiveShared(ServiceBlock* block);

  nt::Lock lock_{nt::LockRank::kMachine};
  std::vector<ServiceBlock*> all_ NT_GUARDED_BY(lock_);
  std::vector<ServiceBlock*> free_ NT_GUARDED_BY(lock_);
  bool closed_ NT_GUARDED_BY(lock_) = false;
};

}  // namespace ntio
