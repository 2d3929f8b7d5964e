#include "src/ntdll/call.h"

#include <cstring>

#include "src/ldr/export.h"
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"
#include "src/rtl/rtl.h"

namespace nt::ntdll {
namespace {

constexpr uintptr_t kFirstMapped = 0x10000;  // a pointer below it is no pointer
constexpr uintptr_t kKernelStart = 0x7a1000000000,
                    kKernelEnd = 0x7ab000000000;  // images, pool, cache, views: docs/ARCHITECTURE.md

}  // namespace

bool IsForeign(const void* address) {
  const auto value = reinterpret_cast<uintptr_t>(address);
  if (value < kFirstMapped || value >= uintptr_t{1} << 47) return false;
  if (value >= mm::kUserArenaBase && value < mm::kUserArenaBase + mm::kUserArenaBytes) return false;
  // Code that asks for the last addresses below the probe address, or for the kernel's, is to be refused by the
  // service.
  return value < mm::kUserArenaBase ||
         (value >= mm::kUserProbeAddress + (uint64_t{1} << 32) && (value < kKernelStart || value >= kKernelEnd));
}

Piece::Piece(size_t bytes) : data_(mm::UserArena::Allocate(bytes ? bytes : 1)), bytes_(bytes ? bytes : 1) {
  if (!data_) Raise(STATUS_NO_MEMORY);
}

Piece::~Piece() {
  if (data_) mm::UserArena::Free(data_, bytes_);
}

void* Call::Allocate(size_t bytes) { return pieces_.emplace_back(bytes).data(); }

void* Call::CopyIn(const void* data, size_t bytes) {
  if (!IsForeign(data)) return const_cast<void*>(data);
  void* copy = Allocate(bytes);
  ldr::CopyUser(copy, data, bytes);
  return copy;
}

void* Call::CopyInOut(void* data, size_t bytes) {
  if (!IsForeign(data)) return data;
  void* copy = CopyIn(data, bytes);
  backs_.push_back({data, copy, bytes});
  return copy;
}

UNICODE_STRING* Call::String(UNICODE_STRING* string) {
  if (!string) return nullptr;
  const UNICODE_STRING original = ldr::ReadUser(string);
  if (!IsForeign(string) && !IsForeign(original.Buffer)) return string;
  auto* copy = static_cast<UNICODE_STRING*>(Allocate(sizeof(UNICODE_STRING)));
  *copy = original;
  copy->Buffer = static_cast<WCHAR*>(CopyIn(original.Buffer, original.Length));
  return copy;
}

OBJECT_ATTRIBUTES* Call::Attributes(OBJECT_ATTRIBUTES* attributes) {
  if (!attributes || reinterpret_cast<uintptr_t>(attributes) < kFirstMapped) return attributes;
  auto* copy = static_cast<OBJECT_ATTRIBUTES*>(Allocate(sizeof(OBJECT_ATTRIBUTES)));
  ldr::CopyUser(copy, attributes, sizeof *copy);
  if (copy->Length != sizeof *copy) return copy;  // the service refuses it
  copy->ObjectName = String(copy->ObjectName);
  if (auto* quality = static_cast<SECURITY_QUALITY_OF_SERVICE*>(copy->SecurityQualityOfService))
    copy->SecurityQualityOfService = In(quality);
  if (IsForeign(copy->SecurityDescriptor)) {
    // Self-relative ones only: a descriptor of pointers would have to be taken apart.
    const auto head = ldr::ReadUser(static_cast<const SECURITY_DESCRIPTOR*>(copy->SecurityDescriptor));
    if (!(head.Control & SE_SELF_RELATIVE)) Raise(STATUS_BAD_DESCRIPTOR_FORMAT);
    copy->SecurityDescriptor =
        InBuffer(copy->SecurityDescriptor, rtl::LengthSecurityDescriptor(copy->SecurityDescriptor));
  }
  return copy;
}

Status Call::Finish() {
  Status result = STATUS_SUCCESS;
  for (const Back& back : backs_)
    if (std::memcmp(back.to, back.from, back.bytes) != 0)
      if (Status status = ldr::TryCopy(back.to, back.from, back.bytes); !status.ok()) result = status;
  backs_.clear();
  return result;
}

}  // namespace nt::ntdll
