#include "src/machine/machine.h"

#include <atomic>

#include "src/base/check.h"
#include "src/cc/cc.h"
#include "src/cm/cm.h"
#include "src/disk/disk.h"
#include "src/ex/event_object.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/io/io.h"
#include "src/ke/bug_check.h"
#include "src/ke/ke.h"
#include "src/ke/service.h"
#include "src/machine/faults.h"
#include "src/mm/mm.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::machine {
namespace {

std::atomic<bool> g_booted{false};

}  // namespace

bool IsBooted() { return g_booted.load(std::memory_order_acquire); }

Status Boot(const BootOptions& options) {
  if (ke::HasBugChecked()) return STATUS_SYSTEM_SHUTDOWN;
  if (g_booted.exchange(true)) return STATUS_DEVICE_BUSY;
  // A component that cannot boot leaves a process that cannot go on: these need only memory and address space.
  const auto need = [](Status status, const char* component) { CHECK_MSG(status.ok(), component); };
  InstallFaultHooks();
  need(ke::Boot(options.ke), "ke");
  need(ex::Boot(), "ex: the address range of the pool is taken");
  need(ob::Boot(), "ob");
  need(ps::Boot(), "ps");
  need(ex::CreateObjectTypes(), "ex: object types");
  need(ex::StartWorkers(), "ex: worker threads");
  ke::ServiceScope scope(nullptr, KernelMode);
  need(se::Boot(), "se");
  need(cm::Boot(), "cm");
  mm::Options memory;
  memory.cache_bytes = options.cache_bytes;
  need(mm::Boot(memory), "mm: the address range of the page cache is taken");
  need(cc::Boot(), "cc");
  need(io::Boot(), "io");
  need(fsrtl::Boot(), "fsrtl");
  need(disk::Boot(), "disk");
  return STATUS_SUCCESS;
}

void Shutdown() {
  if (ke::HasBugChecked() || !IsBooted()) return;
  {
    ke::ServiceScope scope(nullptr, KernelMode);
    io::DismountAllVolumes().Ignore();  // who wants the result calls it before (api)
    io::NotifyShutdown();               // IRP_MJ_SHUTDOWN to who asked for it
    cc::FlushAll();
    mm::CloseAllSegments();
    // What is left after the drivers above the file systems had their say is leaked; file systems see it closed.
    io::UnloadDriversAboveFileSystems();
    mm::CloseLeakedSections();
    io::CloseLeakedFiles();
    cc::FlushAll();
    mm::CloseAllSegments();
    io::UnloadAllDrivers();
    disk::Shutdown();
    fsrtl::Shutdown();
    io::Shutdown();
    cc::Shutdown();
    mm::Shutdown();
    cm::Shutdown();
    se::Shutdown();
    ex::StopWorkers();
  }
  ps::Shutdown();
  ob::Shutdown();
  ex::Shutdown();
  ke::Shutdown();
  g_booted.store(false, std::memory_order_release);
}

}  // namespace nt::machine
