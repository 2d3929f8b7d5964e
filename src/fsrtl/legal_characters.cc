// Which ASCII characters file names of each kind may hold. The rules (documented at the FsRtlIsAnsiCharacterLegal* macros):
// no file system takes control characters, '"' '*' '/' ':' '<' '>' '?' '|' or a backslash; FAT also excludes + , ; = [ ]; a
// stream's name may have control characters, and the wild cards and pipe that OLE uses there.
#include "src/fsrtl/legal_characters.h"

#include <array>
#include <string_view>

#include "src/ldr/export.h"

namespace nt::fsrtl {
namespace {

constexpr std::array<UCHAR, 128> MakeTable() {
  std::array<UCHAR, 128> table{};
  for (int i = 0; i < 128; i++) {
    const char character = static_cast<char>(i);
    const auto in = [character](std::string_view set) { return set.find(character) != std::string_view::npos; };
    UCHAR flags = 0;
    if (i == 0) {
      // legal nowhere
    } else if (i < ' ') {
      flags = FSRTL_OLE_LEGAL;
    } else if (in("\"*<>?")) {
      flags = FSRTL_WILD_CHARACTER | FSRTL_OLE_LEGAL;
    } else if (in("|")) {
      flags = FSRTL_OLE_LEGAL;
    } else if (in("/\\:")) {
      flags = 0;
    } else if (in("+,;=[]")) {
      flags = FSRTL_HPFS_LEGAL | FSRTL_NTFS_LEGAL | FSRTL_OLE_LEGAL;
    } else {
      flags = FSRTL_FAT_LEGAL | FSRTL_HPFS_LEGAL | FSRTL_NTFS_LEGAL | FSRTL_OLE_LEGAL;
    }
    table[static_cast<size_t>(i)] = flags;
  }
  return table;
}

constexpr std::array<UCHAR, 128> kTable = MakeTable();

}  // namespace

const UCHAR* LegalCharacters() { return kTable.data(); }

}  // namespace nt::fsrtl

/// Drivers import the address of this pointer.
extern "C" const UCHAR* const FsRtlLegalAnsiCharacterArray = nt::fsrtl::LegalCharacters();
NT_EXPORT_DATA(FsRtlLegalAnsiCharacterArray)
