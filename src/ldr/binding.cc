#include "src/ldr/binding.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include <fmt/format.h>

// Bounds of the section that NT_EXPORT fills, made by the linker. Weak: a test without exports links too.
extern "C" {
extern const nt::ExportRecord __start_ntio_exports[] __attribute__((weak));
extern const nt::ExportRecord __stop_ntio_exports[] __attribute__((weak));
}

namespace nt::ldr {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string LowerCase(std::string text) {
  for (char& c : text) c = Lower(c);
  return text;
}

using Rows = std::vector<const ExportRecord*>;

void Append(Rows* rows, const ExportRecord* first, const ExportRecord* last) {
  for (const ExportRecord* row = first; row != last; row++) rows->push_back(row);
  std::sort(rows->begin(), rows->end(),
            [](const ExportRecord* a, const ExportRecord* b) { return std::strcmp(a->name, b->name) < 0; });
}

Rows& Table() {
  static Rows table = [] {
    Rows rows;
    Append(&rows, __start_ntio_exports, __stop_ntio_exports);
    return rows;
  }();
  return table;
}

const ExportRecord* FindRow(const char* name) {
  const auto& table = Table();
  const auto found = std::lower_bound(table.begin(), table.end(), name, [](const ExportRecord* row, const char* wanted) {
    return std::strcmp(row->name, wanted) < 0;
  });
  return found != table.end() && std::strcmp((*found)->name, name) == 0 ? *found : nullptr;
}

/// Modules that the runtime stands for as a whole. NT moves routines between the kernel and the HAL from release to release,
/// so a routine of ours satisfies an import from any of them.
bool IsRuntimeModule(const std::string& module) {
  static const std::string_view kKernel[] = {"ntoskrnl.exe", "ntkrnlmp.exe", "ntkrnlpa.exe", "hal.dll"};
  for (std::string_view name : kKernel)
    if (module == name) return true;
  for (const ExportRecord* row : Table())
    if (LowerCase(row->library) == module) return true;
  return false;
}

}  // namespace

Binding Bind(const std::string& module, const std::string& name, std::span<const std::string> also_loaded) {
  Binding result;
  const std::string lower = LowerCase(module);
  if (const Image* image = FindImageByNameLocked(module.c_str())) {
    result.address = image->FindExport(name.c_str());
    if (!result.address) result.reason = image->name + " is loaded but has no such export";
    return result;
  }
  for (const std::string& other : also_loaded) {
    if (LowerCase(other) != lower) continue;
    result.address = &result;  // any address: InspectImage only asks whether there is one
    return result;
  }
  if (!IsRuntimeModule(lower)) {
    result.reason = module + " is not loaded and not part of the runtime";
    return result;
  }
  if (const ExportRecord* row = FindRow(name.c_str())) {
    result.address = row->address;
    result.partial_reason = row->partial_reason;
    return result;
  }
  if (const Image* crt = CrtImage()) result.address = crt->FindExport(name.c_str());
  return result;
}

bool IsKnownData(const std::string& name) {
  static const std::string_view kNames[] = {
      "CcFastMdlReadWait", "CcFastReadNotPossible", "CcFastReadWait", "ExDesktopObjectType", "ExEventObjectType",
      "ExSemaphoreObjectType", "ExWindowStationObjectType", "FsRtlLegalAnsiCharacterArray", "HalDispatchTable",
      "HalPrivateDispatchTable", "InitSafeBootMode", "IoAdapterObjectType", "IoDeviceHandlerObjectSize",
      "IoDeviceHandlerObjectType", "IoDeviceObjectType", "IoDriverObjectType", "IoFileObjectType", "IoReadOperationCount",
      "IoReadTransferCount", "IoStatisticsLock", "IoWriteOperationCount", "IoWriteTransferCount", "KdDebuggerEnabled",
      "KdDebuggerNotPresent", "KeLoaderBlock", "KeNumberProcessors", "KeTimeIncrement", "KeTickCount", "LpcPortObjectType",
      "LsaCallbackTable", "MmHighestUserAddress", "MmSectionObjectType", "MmSystemRangeStart", "MmUserProbeAddress",
      "Mm64BitPhysicalAddress", "NlsAnsiCodePage", "NlsLeadByteInfo", "NlsMbCodePageTag", "NlsMbOemCodePageTag",
      "NlsOemCodePage", "NlsOemLeadByteInfo", "NtBuildGUID", "NtBuildLab", "NtBuildNumber", "NtGlobalFlag", "POGOBuffer",
      "PsInitialSystemProcess", "PsJobType", "PsProcessType", "PsSiloContextNonPagedType", "PsSiloContextPagedType",
      "PsThreadType", "SeExports", "SePublicDefaultDacl", "SeSystemDefaultDacl", "SeTokenObjectType", "TmEnlistmentObjectType",
      "TmResourceManagerObjectType", "TmTransactionManagerObjectType", "TmTransactionObjectType", "_fltused"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

const void* FindRoutine(const char* name) {
  Initialize();
  if (const ExportRecord* row = FindRow(name)) return row->address;
  return CrtImage()->FindExport(name);
}

std::span<const ExportRecord* const> RuntimeExports() { return Table(); }

void AddExports(const ExportRecord* first, const ExportRecord* last) {
  // The runtime's own section, when the caller is linked into it.
  if (first != __start_ntio_exports) Append(&Table(), first, last);
}

}  // namespace nt::ldr
