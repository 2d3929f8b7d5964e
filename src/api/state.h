// What a Machine of the C++ API holds, and how its methods enter the machine. Private to api.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "ntifs.h"
#include "ntio/machine.h"
#include "src/base/lock.h"
#include "src/ke/service.h"
#include "src/mm/mm.h"
#include "src/ps/ps.h"

namespace ntio {

/// The arguments of one service call, in requestor memory as a Windows program's would be: services probe them.
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

struct Machine::State {
  MachineOptions options;
  nt::ps::Process* process = nullptr;  // in whose name requests run; referenced
  std::vector<PDEVICE_OBJECT> disks;   // volume devices, borrowed from src/disk
  std::vector<DRIVER_OBJECT*> drivers;
  nt::Lock blocks_lock{nt::LockRank::kMachine};
  std::vector<ServiceBlock*> free_blocks NT_GUARDED_BY(blocks_lock);
  bool live = false;

  ServiceBlock* TakeBlock();
  void GiveBlock(ServiceBlock* block);

  /// Runs `body(block)` in a user-mode service of the requesting process. False: the machine has bug-checked.
  template <class F>
  bool Service(F&& body) {
    return nt::ke::CallIntoMachine([&] {
      nt::ke::ServiceScope scope(process, UserMode);
      ServiceBlock* block = TakeBlock();
      body(*block);
      GiveBlock(block);
    });
  }
  /// The same in kernel mode, in the System process.
  template <class F>
  bool Kernel(F&& body) {
    return nt::ke::CallIntoMachine([&] {
      nt::ke::ServiceScope scope(nullptr, KernelMode);
      body();
    });
  }
};

/// The failure of every call after a bug check.
Failure BugChecked();
Failure Request(NTSTATUS status, std::string message = {});
IoResult ToResult(NTSTATUS status, const IO_STATUS_BLOCK& iosb);
/// Puts a name into the block: `block.name` describes it afterwards. False when it is longer than a UNICODE_STRING can be.
bool PutName(ServiceBlock& block, const std::u16string& name);

}  // namespace ntio
