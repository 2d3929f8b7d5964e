// What a Machine of the C++ API holds, and how its methods enter the machine. Private to api.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "ntifs.h"
#include "ntio/machine.h"
#include "src/api/service_blocks.h"
#include "src/ke/service.h"
#include "src/mm/mm.h"
#include "src/ps/ps.h"

namespace ntio {

struct Machine::State {
  MachineOptions options;
  nt::ps::Process* process = nullptr;  // in whose name requests run; referenced
  std::vector<PDEVICE_OBJECT> disks;   // what file systems mount on, borrowed from src/disk or a storage driver
  std::vector<std::u16string> storage_services;  // base names of those that AddStorage made
  std::vector<DRIVER_OBJECT*> drivers;
  std::shared_ptr<ServiceBlocks> blocks = std::make_shared<ServiceBlocks>();
  bool live = false;

  /// Runs `body(block)` in a user-mode service of the requesting process. False: the machine has bug-checked.
  template <class F>
  bool Service(F&& body) {
    return nt::ke::CallIntoMachine([&] {
      nt::ke::ServiceScope scope(process, UserMode);
      ServiceBlock* block = blocks->Take();
      body(*block);
      blocks->Give(block);
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
void SetResult(IoResult* result, NTSTATUS status, const IO_STATUS_BLOCK& iosb);
/// Puts a name into the block: `block.name` describes it afterwards. False when it is longer than a UNICODE_STRING can be.
bool PutName(ServiceBlock& block, const std::u16string& name);

}  // namespace ntio
