// What `ntio info` shows of a PE file beside what the loader needs. A part that is missing or damaged is left out;
// nothing here keeps an image from loading.
#pragma once

#include "src/ldr/ldr.h"
#include "src/ldr/pe_image.h"

namespace nt::ldr {

/// @param view  the laid-out image, not relocated
ImageDetails ReadDetails(const PeImage& image, std::span<const std::byte> file, const ImageView& view);

}  // namespace nt::ldr
