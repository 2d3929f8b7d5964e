// Binding: which address an import gets, and why not.
#pragma once

#include <span>
#include <string>

#include "src/ldr/ldr.h"

namespace nt::ldr {

struct Binding {
  const void* address = nullptr;
  const char* partial_reason = nullptr;  // of the runtime's row
  std::string reason;                    // when there is no address
};

/// A loaded image of that name first, then the runtime's table, then the CRT image. Needs the loader's lock, or a moment at
/// which nothing loads. `also_loaded`: modules to be taken as able to satisfy any import (for InspectImage).
Binding Bind(const std::string& module, const std::string& name, std::span<const std::string> also_loaded);

/// Names that NT exports as variables: binding one to a thunk would hand out code as data.
bool IsKnownData(const std::string& name);

/// What a thunk of a missing import knows.
struct MissingImportRecord {
  std::string driver, name;
};

Image* FindImageByNameLocked(const char* name);
/// The helper image with the C run-time routines; nullptr before Initialize.
Image* CrtImage();

}  // namespace nt::ldr
