// Where images lie and how an address finds its image without a lock: the image range is cut into slots of 16 MiB, an image
// begins on a slot, and a table of pointers has one entry a slot.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/ldr/ldr.h"
#include "src/mm/layout.h"

namespace nt::ldr {

inline constexpr uint64_t kSlotBytes = 16u << 20;
inline constexpr uint64_t kSlotCount = mm::kImageBytes / kSlotBytes;

extern std::atomic<Image*> g_image_slots[kSlotCount];

/// FindImage, inline: the dispatcher and the fault handler ask it for every frame.
inline Image* ImageAt(uint64_t address) {
  const uint64_t offset = address - mm::kImageBase;
  if (offset >= mm::kImageBytes) return nullptr;
  Image* image = g_image_slots[offset / kSlotBytes].load(std::memory_order_acquire);
  return image && image->Contains(address) ? image : nullptr;
}

}  // namespace nt::ldr
