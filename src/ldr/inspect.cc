// InspectImage: what `ntio info` shows of a driver, without mapping it.

#include <fmt/format.h>

#include <cstring>

#include "src/host/host.h"
#include "src/ldr/binding.h"
#include "src/ldr/pe_details.h"

namespace nt::ldr {

ImageReport InspectImage(const std::string& path, std::span<const std::string> also_loaded) {
  Initialize();
  ImageReport report;
  report.path = path;
  std::vector<std::byte> file;
  if (const host::Error error = host::ReadFile(path, &file)) {
    report.why = fmt::format("cannot be read: {}", std::strerror(error));
    return report;
  }
  auto parsed = PeImage::Parse(file, &report.why);
  if (!parsed.ok()) return report;
  const PeImage& pe = parsed.value();
  std::vector<std::byte> bytes(pe.image_bytes);
  const ImageView view(bytes.data(), pe.image_bytes);
  pe.LayOut(file, view);
  report.details = ReadDetails(pe, file, view);  // before it is relocated
  std::vector<PeImport> imports;
  std::vector<PeExport> exports;
  if (!pe.ReadImports(view, &imports, &report.why).ok() || !pe.ReadExports(view, &exports, &report.why).ok() ||
      !pe.CheckFunctions(view, &report.why).ok() || !pe.Relocate(view, 0x10000, &report.why).ok())
    return report;

  report.well_formed = true;
  report.timestamp = pe.timestamp;
  report.entry_rva = pe.entry_rva;
  report.size = pe.image_bytes;
  report.preferred_base = pe.preferred_base;
  report.subsystem = pe.subsystem;
  report.machine = pe.machine;
  for (const PeSection& section : pe.sections) {
    report.sections.push_back(
        {section.name, section.rva, section.virtual_bytes, section.file_bytes, section.characteristics});
    if ((section.characteristics & pe::kSectionExecute) && (section.characteristics & pe::kSectionWrite))
      report.warnings.push_back(
          fmt::format("section {} asks to be writable and executable; it is made read-execute", section.name));
  }
  for (PeExport& row : exports)
    report.exports.push_back({std::move(row.name), std::move(row.forward), row.ordinal, row.rva});
  size_t absent = 0;
  for (const PeImport& import : imports) {
    ImportReport row;
    row.module = import.module;
    row.name = import.name;
    row.delay = import.delay;
    Binding binding = Bind(import.module, import.name, also_loaded);
    if (import.by_ordinal && !binding.address) binding.reason = "by ordinal; the runtime has names only";
    if (!binding.address) {
      row.state = ImportReport::State::kAbsent;
      row.reason = binding.reason.empty() ? "not in the runtime" : binding.reason;
      if (!import.delay) absent++;
    } else if (binding.partial_reason) {
      row.state = ImportReport::State::kPartial;
      row.reason = binding.partial_reason;
    } else {
      row.state = ImportReport::State::kPresent;
    }
    report.imports.push_back(std::move(row));
  }
  report.loads = absent == 0;
  if (absent) report.why = fmt::format("{} import{} missing", absent, absent == 1 ? " is" : "s are");
  return report;
}

}  // namespace nt::ldr
