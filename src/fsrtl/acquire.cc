// Acquiring a file for others: for Mm before it makes or flushes a section, for the modified page writer, for the cache
// manager's flush. Who is asked, in order: FsFilter callbacks of the filters from the top of the stack down and of the file
// system, the file system's fast I/O entry (never a filter's), the default on the FSRTL header.
//
// The table of callbacks is guarded by State::lock (rank kIoDatabase); it is copied before a driver is called.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/fsrtl/header_lock.h"
#include "src/fsrtl/state.h"
#include "src/io/io.h"
#include "src/ldr/export.h"

namespace nt::fsrtl {
namespace {

struct State {
  Lock lock{LockRank::kIoDatabase};
  std::map<PDRIVER_OBJECT, FS_FILTER_CALLBACKS> callbacks NT_GUARDED_BY(lock);
  std::atomic<size_t> count{0};
};
State* g_state = nullptr;

using PreMember = PFS_FILTER_CALLBACK FS_FILTER_CALLBACKS::*;
using PostMember = PFS_FILTER_COMPLETION_CALLBACK FS_FILTER_CALLBACKS::*;

bool Lookup(PDRIVER_OBJECT driver, FS_FILTER_CALLBACKS* callbacks) {
  if (g_state->count.load(std::memory_order_acquire) == 0) return false;
  LockGuard guard(g_state->lock);
  const auto found = g_state->callbacks.find(driver);
  if (found == g_state->callbacks.end()) return false;
  *callbacks = found->second;
  return true;
}

enum class Veto : bool { kIgnored, kCounts };
enum class Handled { kNo, kYes, kFailed };

/// One operation on its way down the stack of filters and, in reverse, through the post callbacks.
class Operation {
 public:
  Operation(PFILE_OBJECT file, UCHAR code, Veto veto) : veto_(veto) {
    data_.SizeOfFsFilterCallbackData = sizeof data_;
    data_.Operation = code;
    data_.FileObject = file;
    base_ = io::GetBaseFileSystemDeviceObject(file);
  }

  FS_FILTER_PARAMETERS& parameters() { return data_.Parameters; }
  DEVICE_OBJECT* base() const { return base_; }

  /// @returns kYes: a callback did it. kNo: the fast I/O entry's turn. kFailed: *status. Either way Finish must follow
  Handled Pre(PreMember pre, PostMember post, NTSTATUS* status) {
    if (!g_state || g_state->count.load(std::memory_order_acquire) == 0) return Handled::kNo;
    std::vector<DEVICE_OBJECT*> stack;  // from the file system up
    for (DEVICE_OBJECT* device = base_; device; device = __atomic_load_n(&device->AttachedDevice, __ATOMIC_ACQUIRE))
      stack.push_back(device);
    for (size_t i = stack.size(); i-- > 0;) {
      FS_FILTER_CALLBACKS callbacks;
      if (!Lookup(stack[i]->DriverObject, &callbacks)) continue;
      void* context = nullptr;
      data_.DeviceObject = stack[i];
      NTSTATUS answer = STATUS_SUCCESS;
      if (callbacks.*pre) answer = nt::CallDriver(callbacks.*pre, &data_, &context);
      if (callbacks.*post && answer == STATUS_SUCCESS) posts_.push_back({callbacks.*post, stack[i], context});
      if (answer == STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY) {
        *status = STATUS_SUCCESS;
        return Handled::kYes;
      }
      if (stack[i] == base_) {
        // Plain success means "go on"; another success code (STATUS_FILE_LOCKED_WITH_WRITERS) is the answer to the caller.
        if (!(callbacks.*pre) || answer == STATUS_SUCCESS) return Handled::kNo;
        const bool refused = !NT_SUCCESS(answer);
        *status = refused && veto_ == Veto::kIgnored ? STATUS_SUCCESS : answer;
        return refused && veto_ == Veto::kCounts ? Handled::kFailed : Handled::kYes;
      }
      if (answer != STATUS_SUCCESS && veto_ == Veto::kCounts) {
        *status = answer;
        return Handled::kFailed;
      }
    }
    return Handled::kNo;
  }

  void Finish(NTSTATUS status) {
    for (size_t i = posts_.size(); i-- > 0;) {
      data_.DeviceObject = posts_[i].device;
      nt::CallDriver(posts_[i].routine, &data_, status, posts_[i].context);
    }
  }

 private:
  struct Post {
    PFS_FILTER_COMPLETION_CALLBACK routine;
    DEVICE_OBJECT* device;
    void* context;
  };
  FS_FILTER_CALLBACK_DATA data_{};
  DEVICE_OBJECT* base_;
  const Veto veto_;
  std::vector<Post> posts_;
};

PERESOURCE ResourceOf(PFILE_OBJECT file) {
  const auto* header = HeaderOf(file);
  return header ? header->Resource : nullptr;
}

Status AcquireForSection(PFILE_OBJECT file, FS_FILTER_SECTION_SYNC_TYPE type, ULONG protection,
                         ULONG allocation_attributes) {
  ke::EnterCriticalRegion();
  Operation operation(file, FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION,
                      type == SyncTypeCreateSection ? Veto::kCounts : Veto::kIgnored);
  FS_FILTER_SECTION_SYNC_OUTPUT output{};
  output.StructureSize = sizeof output;
  auto& parameters = operation.parameters().AcquireForSectionSynchronization;
  parameters.SyncType = type;
  parameters.PageProtection = protection;
  parameters.OutputInformation = type == SyncTypeCreateSection ? &output : nullptr;
  parameters.AllocationAttributes = allocation_attributes;
  NTSTATUS status = STATUS_SUCCESS;
  const Handled handled = operation.Pre(&FS_FILTER_CALLBACKS::PreAcquireForSectionSynchronization,
                                        &FS_FILTER_CALLBACKS::PostAcquireForSectionSynchronization, &status);
  if (handled == Handled::kNo) {
    status = STATUS_SUCCESS;
    if (auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::AcquireFileForNtCreateSection>(operation.base())) {
      io::CallFastIo<&FAST_IO_DISPATCH::AcquireFileForNtCreateSection>(entry, file);
    } else if (PERESOURCE resource = ResourceOf(file)) {
      ex::AcquireResourceExclusiveLite(resource, true);
    }
  }
  operation.Finish(status);
  if (!NT_SUCCESS(status)) ke::LeaveCriticalRegion();
  return status;
}

/// The default of the modified writer's acquire: which resource, taken how.
struct ModWriteChoice {
  PERESOURCE resource;
  bool exclusive;
  bool operator==(const ModWriteChoice&) const = default;
};

ModWriteChoice ChooseForModWrite(PFSRTL_ADVANCED_FCB_HEADER header, LONGLONG ending_offset) {
  const LONGLONG valid = LoadSize(header->ValidDataLength);
  if ((header->Flags & FSRTL_FLAG_ACQUIRE_MAIN_RSRC_EX) ||
      (ending_offset > valid && valid != LoadSize(header->FileSize)))
    return {header->Resource, true};
  if (!header->PagingIoResource || (header->Flags & FSRTL_FLAG_ACQUIRE_MAIN_RSRC_SH)) return {header->Resource, false};
  return {header->PagingIoResource, false};
}

Status DefaultAcquireForModWrite(PFILE_OBJECT file, LONGLONG ending_offset, PERESOURCE* resource) {
  *resource = nullptr;
  auto* const header = HeaderOf(file);
  if (!header || !header->Resource) return STATUS_SUCCESS;
  ModWriteChoice choice = ChooseForModWrite(header, ending_offset);
  for (;;) {
    const bool acquired = choice.exclusive ? ex::AcquireResourceExclusiveLite(choice.resource, false)
                                           : ex::AcquireSharedWaitForExclusive(choice.resource, false);
    if (!acquired) return STATUS_CANT_WAIT;
    const ModWriteChoice now = ChooseForModWrite(header, ending_offset);
    if (now == choice) break;
    ex::ReleaseResourceLite(choice.resource);  // the sizes or flags moved meanwhile
    choice = now;
  }
  *resource = choice.resource;
  return STATUS_SUCCESS;
}

void DefaultAcquireForCcFlush(PFILE_OBJECT file) {
  auto* const header = HeaderOf(file);
  if (!header) return;
  if (header->Resource) {
    // Owned shared by this thread, it can only be taken shared again.
    if (ex::IsResourceAcquiredSharedLite(header->Resource) && !ex::IsResourceAcquiredExclusiveLite(header->Resource))
      ex::AcquireResourceSharedLite(header->Resource, true);
    else
      ex::AcquireResourceExclusiveLite(header->Resource, true);
  }
  if (header->PagingIoResource) ex::AcquireResourceSharedLite(header->PagingIoResource, true);
}

void DefaultReleaseForCcFlush(PFILE_OBJECT file) {
  auto* const header = HeaderOf(file);
  if (!header) return;
  if (header->PagingIoResource) ex::ReleaseResourceLite(header->PagingIoResource);
  if (header->Resource) ex::ReleaseResourceLite(header->Resource);
}

}  // namespace

void BootAcquire() {
  CHECK(!g_state);
  g_state = new State;
}

void ShutdownAcquire() { delete std::exchange(g_state, nullptr); }

Status RegisterFileSystemFilterCallbacks(PDRIVER_OBJECT driver, PFS_FILTER_CALLBACKS callbacks) {
  if (!driver || !callbacks || callbacks->SizeOfFsFilterCallbacks == 0) return STATUS_INVALID_PARAMETER;
  FS_FILTER_CALLBACKS copy{};
  memcpy(&copy, callbacks, std::min<size_t>(callbacks->SizeOfFsFilterCallbacks, sizeof copy));
  LockGuard guard(g_state->lock);
  g_state->callbacks[driver] = copy;
  g_state->count.store(g_state->callbacks.size(), std::memory_order_release);
  return STATUS_SUCCESS;
}

void ForgetDriver(PDRIVER_OBJECT driver) {
  if (!g_state) return;
  LockGuard guard(g_state->lock);
  g_state->callbacks.erase(driver);
  g_state->count.store(g_state->callbacks.size(), std::memory_order_release);
}

void AcquireFileExclusive(PFILE_OBJECT file) {
  AcquireForSection(file, SyncTypeOther, 0, 0).Ignore();  // cannot be refused
}

Status AcquireToCreateMappedSection(PFILE_OBJECT file, ULONG page_protection, ULONG allocation_attributes) {
  return AcquireForSection(file, SyncTypeCreateSection, page_protection, allocation_attributes);
}

void ReleaseFile(PFILE_OBJECT file) {
  Operation operation(file, FS_FILTER_RELEASE_FOR_SECTION_SYNCHRONIZATION, Veto::kIgnored);
  NTSTATUS status = STATUS_SUCCESS;
  if (operation.Pre(&FS_FILTER_CALLBACKS::PreReleaseForSectionSynchronization,
                    &FS_FILTER_CALLBACKS::PostReleaseForSectionSynchronization, &status) == Handled::kNo) {
    if (auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::ReleaseFileForNtCreateSection>(operation.base())) {
      io::CallFastIo<&FAST_IO_DISPATCH::ReleaseFileForNtCreateSection>(entry, file);
    } else if (PERESOURCE resource = ResourceOf(file)) {
      ex::ReleaseResourceLite(resource);
    }
  }
  operation.Finish(STATUS_SUCCESS);
  ke::LeaveCriticalRegion();
}

Status AcquireFileForModWrite(PFILE_OBJECT file, PLARGE_INTEGER ending_offset, PERESOURCE* resource) {
  ke::EnterCriticalRegion();
  *resource = nullptr;
  Operation operation(file, FS_FILTER_ACQUIRE_FOR_MOD_WRITE, Veto::kCounts);
  auto& parameters = operation.parameters().AcquireForModifiedPageWriter;
  parameters.EndingOffset = ending_offset;
  parameters.ResourceToRelease = resource;
  NTSTATUS status = STATUS_SUCCESS;
  if (operation.Pre(&FS_FILTER_CALLBACKS::PreAcquireForModifiedPageWriter,
                    &FS_FILTER_CALLBACKS::PostAcquireForModifiedPageWriter, &status) == Handled::kNo) {
    // An entry that answers neither success nor "cannot wait" leaves it to the default.
    status = STATUS_INVALID_DEVICE_REQUEST;
    if (auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::AcquireForModWrite>(operation.base()))
      status = io::CallFastIo<&FAST_IO_DISPATCH::AcquireForModWrite>(entry, file, ending_offset, resource,
                                                                      operation.base());
    if (status != STATUS_SUCCESS && status != STATUS_CANT_WAIT)
      status = DefaultAcquireForModWrite(file, ending_offset->QuadPart, resource);
  }
  operation.Finish(status);
  if (!NT_SUCCESS(status)) ke::LeaveCriticalRegion();
  return status;
}

namespace {

/// At APC_LEVEL, as drivers may rely on: on Windows the writer's completion APC releases.
void ReleaseForModWrite(PFILE_OBJECT file, PERESOURCE resource) {
  const ke::IrqlScope irql(APC_LEVEL);
  Operation operation(file, FS_FILTER_RELEASE_FOR_MOD_WRITE, Veto::kIgnored);
  operation.parameters().ReleaseForModifiedPageWriter.ResourceToRelease = resource;
  NTSTATUS status = STATUS_SUCCESS;
  if (operation.Pre(&FS_FILTER_CALLBACKS::PreReleaseForModifiedPageWriter,
                    &FS_FILTER_CALLBACKS::PostReleaseForModifiedPageWriter, &status) == Handled::kNo) {
    status = STATUS_INVALID_DEVICE_REQUEST;
    if (auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::ReleaseForModWrite>(operation.base()))
      status = io::CallFastIo<&FAST_IO_DISPATCH::ReleaseForModWrite>(entry, file, resource, operation.base());
    if (!NT_SUCCESS(status) && resource) ex::ReleaseResourceLite(resource);
  }
  operation.Finish(STATUS_SUCCESS);
}

}  // namespace

void ReleaseFileForModWrite(PFILE_OBJECT file, PERESOURCE resource) {
  ReleaseForModWrite(file, resource);
  ke::LeaveCriticalRegion();
}

Status AcquireFileForCcFlush(PFILE_OBJECT file) {
  ke::EnterCriticalRegion();
  Operation operation(file, FS_FILTER_ACQUIRE_FOR_CC_FLUSH, Veto::kCounts);
  NTSTATUS status = STATUS_SUCCESS;
  if (operation.Pre(&FS_FILTER_CALLBACKS::PreAcquireForCcFlush, &FS_FILTER_CALLBACKS::PostAcquireForCcFlush, &status) ==
      Handled::kNo) {
    status = STATUS_INVALID_DEVICE_REQUEST;
    if (auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::AcquireForCcFlush>(operation.base()))
      status = io::CallFastIo<&FAST_IO_DISPATCH::AcquireForCcFlush>(entry, file, operation.base());
    if (status != STATUS_SUCCESS && status != STATUS_CANT_WAIT) {
      DefaultAcquireForCcFlush(file);
      status = STATUS_SUCCESS;
    }
  }
  operation.Finish(status);
  if (!NT_SUCCESS(status)) ke::LeaveCriticalRegion();
  return status;
}

void ReleaseFileForCcFlush(PFILE_OBJECT file) {
  Operation operation(file, FS_FILTER_RELEASE_FOR_CC_FLUSH, Veto::kIgnored);
  NTSTATUS status = STATUS_SUCCESS;
  if (operation.Pre(&FS_FILTER_CALLBACKS::PreReleaseForCcFlush, &FS_FILTER_CALLBACKS::PostReleaseForCcFlush, &status) ==
      Handled::kNo) {
    status = STATUS_INVALID_DEVICE_REQUEST;
    if (auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::ReleaseForCcFlush>(operation.base()))
      status = io::CallFastIo<&FAST_IO_DISPATCH::ReleaseForCcFlush>(entry, file, operation.base());
    if (!NT_SUCCESS(status)) DefaultReleaseForCcFlush(file);
  }
  operation.Finish(STATUS_SUCCESS);
  ke::LeaveCriticalRegion();
}

}  // namespace nt::fsrtl
