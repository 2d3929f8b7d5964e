// Installing from an .inf file: which sections count, and what their directives put into the registry.
//
// [DefaultInstall] or, without one, the install sections of the models that suit x64; each with its .Services section.
// AddReg and DelReg are obeyed there and in service install sections, AddService in .Services. CopyFiles and the like say what
// happens to files, which is not the registry's business.
#include <algorithm>
#include <optional>

#include "src/cm/change.h"
#include "src/cm/inf_text.h"
#include "src/rtl/rtl.h"

namespace nt::cm {
namespace {

// Flags of AddReg, as documented for the INF AddReg directive.
constexpr ULONG kNoClobber = 0x2, kDeleteValue = 0x4, kAppend = 0x8, kKeyOnly = 0x10, kOverwriteOnly = 0x20;
constexpr ULONG k64BitKey = 0x1000, kKeyOnlyCommon = 0x2000, k32BitKey = 0x4000;
constexpr ULONG kTypeMask = 0xFFFF0001;
constexpr ULONG kTypeMulti = 0x00010000, kTypeExpand = 0x00020000, kTypeBinary = 0x00000001, kTypeDword = 0x00010001,
                kTypeNone = 0x00020001;

bool Same(std::u16string_view a, std::u16string_view b) { return rtl::EqualUnicode(a, b, rtl::Case::kInsensitive); }
bool Begins(std::u16string_view text, std::u16string_view prefix) {
  return rtl::PrefixUnicode(prefix, text, rtl::Case::kInsensitive);
}

std::optional<ULONG> Number(std::u16string_view text) {
  const bool negative = !text.empty() && text[0] == u'-';
  if (negative) text.remove_prefix(1);
  ULONG base = 10;
  if (Begins(text, u"0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  if (text.empty()) return std::nullopt;
  ULONGLONG number = 0;
  for (char16_t c : text) {
    const char16_t upper = rtl::UpcaseUnicodeChar(c);
    const ULONG digit = upper >= u'0' && upper <= u'9' ? upper - u'0' : upper >= u'A' && upper <= u'F' ? upper - u'A' + 10u : 16;
    if (digit >= base) return std::nullopt;
    number = number * base + digit;
    if (number > MAXULONG) return std::nullopt;
  }
  return negative ? 0 - static_cast<ULONG>(number) : static_cast<ULONG>(number);
}

/// How well a decorated name suits this machine ("NTamd64.10.0...16299"); nothing: not at all.
std::optional<ULONGLONG> Suits(std::u16string_view decoration) {
  constexpr ULONGLONG kArchitecture = 1ull << 62, kAnyNt = 1ull << 61;
  if (decoration.empty()) return 0;
  if (decoration[0] == u'.') decoration.remove_prefix(1);
  ULONGLONG score;
  if (Begins(decoration, u"NTamd64")) {
    score = kArchitecture;
    decoration.remove_prefix(7);
  } else if (Begins(decoration, u"NT") && (decoration.size() == 2 || decoration[2] == u'.')) {
    score = kAnyNt;
    decoration.remove_prefix(2);
  } else {
    return std::nullopt;
  }
  // .major.minor.producttype.suitemask.build: only what is at most as new as this Windows.
  ULONG parts[5] = {};
  for (int part = 0; part < 5 && !decoration.empty(); part++) {
    decoration.remove_prefix(1);
    const size_t end = std::min(decoration.find(u'.'), decoration.size());
    if (end) {
      const auto number = Number(decoration.substr(0, end));
      if (!number) return std::nullopt;
      parts[part] = *number;
    }
    decoration.remove_prefix(end);
  }
  const ULONGLONG version = ULONGLONG{parts[0]} << 40 | ULONGLONG{parts[1] & 0xFF} << 32 | parts[4];
  const ULONGLONG ours = ULONGLONG{rtl::kMajorVersion} << 40 | ULONGLONG{rtl::kMinorVersion} << 32 | rtl::kBuildNumber;
  if (version > ours) return std::nullopt;
  return score + version;
}

class InfInstaller {
 public:
  InfInstaller(const InfText& inf, std::string* why, std::vector<Change>* changes)
      : inf_(inf), why_(why), changes_(changes) {}

  Status Run() {
    NT_TRY(CheckVersion());
    std::vector<std::u16string> bases;
    if (HasBase(u"DefaultInstall")) bases.push_back(u"DefaultInstall");
    else NT_TRY(InstallSectionsOfModels(&bases));
    if (bases.empty()) return Complain(why_, 1, "no [DefaultInstall] and no models for x64");
    for (auto& base : bases) NT_TRY(Install(base));
    return STATUS_SUCCESS;
  }

 private:
  Status Fail(const InfLine& line, const std::string& message) { return Complain(why_, line.number, message); }

  Status CheckVersion() {
    const InfSection* version = inf_.Find(u"Version");
    if (!version) return Complain(why_, 1, "no [Version] section");
    const InfLine* signature = version->Find(u"Signature");
    if (!signature) return Complain(why_, version->number, "[Version] has no Signature");
    const std::u16string_view text = signature->Field(0);
    if (!Same(text, u"$Windows NT$") && !Same(text, u"$Chicago$") && !Same(text, u"$Windows 95$"))
      return Fail(*signature, "the Signature is not \"$Windows NT$\"");
    if (const InfLine* guid = version->Find(u"ClassGuid")) class_guid_ = guid->Field(0);
    return STATUS_SUCCESS;
  }

  /// The section base[.decoration]suffix that suits best, or nullptr.
  const InfSection* Best(std::u16string_view base, std::u16string_view suffix) const {
    const InfSection* best = nullptr;
    ULONGLONG best_score = 0;
    for (auto& section : inf_.sections()) {
      std::u16string_view name = section.name;
      if (!Begins(name, base)) continue;
      name.remove_prefix(base.size());
      if (name.size() < suffix.size() || !rtl::SuffixUnicode(suffix, name, rtl::Case::kInsensitive)) continue;
      name.remove_suffix(suffix.size());
      if (!name.empty() && name[0] != u'.') continue;
      const auto score = Suits(name);
      if (score && (!best || *score > best_score)) {
        best = &section;
        best_score = *score;
      }
    }
    return best;
  }
  bool HasBase(std::u16string_view base) const { return Best(base, u"") || Best(base, u".Services"); }

  Status InstallSectionsOfModels(std::vector<std::u16string>* bases) {
    const InfSection* manufacturers = inf_.Find(u"Manufacturer");
    if (!manufacturers) return STATUS_SUCCESS;
    for (auto& manufacturer : manufacturers->lines) {
      // %name% = models[, decoration...]; a line without = is its own models section.
      const std::u16string models(manufacturer.Field(0));
      const InfSection* best = nullptr;
      ULONGLONG best_score = 0;
      for (size_t i = 0; i < std::max<size_t>(manufacturer.fields.size(), 1); i++) {
        const std::u16string_view decoration = i == 0 ? u"" : manufacturer.Field(i);
        const auto score = Suits(decoration);
        if (!score) continue;
        const InfSection* section = inf_.Find(i == 0 ? models : models + u"." + std::u16string(decoration));
        if (section && (!best || *score > best_score)) {
          best = section;
          best_score = *score;
        }
      }
      if (!best) continue;
      for (auto& model : best->lines) {
        const std::u16string base(model.Field(0));
        const bool known = std::any_of(bases->begin(), bases->end(), [&](const auto& other) { return Same(other, base); });
        if (base.empty() || known) continue;
        if (!HasBase(base)) return Fail(model, "there is no install section [" + rtl::ToUtf8(base) + "]");
        bases->push_back(base);
      }
    }
    return STATUS_SUCCESS;
  }

  Status Install(const std::u16string& base) {
    if (const InfSection* section = Best(base, u"")) {
      // HKR is the driver's key of the class; a default install has no device and so none.
      std::u16string relative;
      if (!Same(base, u"DefaultInstall") && !class_guid_.empty())
        relative = std::u16string(kControlPath) + u"\\Class\\" + class_guid_ + u"\\0000";
      NT_TRY(RegistryDirectives(*section, relative));
    }
    const InfSection* services = Best(base, u".Services");
    if (!services) return STATUS_SUCCESS;
    for (auto& line : services->lines) {
      if (Same(line.key, u"AddService")) NT_TRY(AddService(line));
      else if (Same(line.key, u"DelService")) NT_TRY(DeleteService(line));
    }
    return STATUS_SUCCESS;
  }

  Status RegistryDirectives(const InfSection& section, const std::u16string& relative) {
    for (auto& line : section.lines) {
      const bool remove = Same(line.key, u"DelReg");
      if (!remove && !Same(line.key, u"AddReg")) continue;
      for (auto& name : line.fields) {
        if (name.empty()) continue;
        const InfSection* entries = inf_.Find(name);
        if (!entries) return Fail(line, "there is no section [" + rtl::ToUtf8(name) + "]");
        for (auto& entry : entries->lines) NT_TRY(remove ? DeleteEntry(entry, relative) : AddEntry(entry, relative));
      }
    }
    return STATUS_SUCCESS;
  }

  /// root, subkey of an entry.
  Status EntryPath(const InfLine& entry, const std::u16string& relative, std::u16string* path) {
    if (!entry.key.empty()) return Fail(entry, "expected reg-root, subkey, ...");
    const std::u16string_view root = entry.Field(0);
    if (Same(root, u"HKR")) {
      if (relative.empty()) return Fail(entry, "HKR has no meaning here: no device and no service");
      *path = relative;
    } else if (Same(root, u"HKLM")) {
      *path = u"\\Registry\\Machine";
    } else if (Same(root, u"HKCR")) {
      *path = u"\\Registry\\Machine\\Software\\Classes";
    } else if (Same(root, u"HKCU")) {
      *path = u"\\Registry\\User\\.Default";
    } else if (Same(root, u"HKU")) {
      *path = u"\\Registry\\User";
    } else {
      return Fail(entry, "no root key is called \"" + rtl::ToUtf8(root) + "\"");
    }
    std::u16string_view subkey = entry.Field(1);
    while (!subkey.empty() && subkey[0] == u'\\') subkey.remove_prefix(1);
    if (!subkey.empty()) *path += u"\\" + std::u16string(subkey);
    return STATUS_SUCCESS;
  }

  Status AddEntry(const InfLine& entry, const std::u16string& relative) {
    Change change{Change::Kind::kSetValue, {}, std::u16string(entry.Field(2)), {}, {}, entry.number};
    NT_TRY(EntryPath(entry, relative, &change.path));
    ULONG flags = 0;
    if (!entry.Field(3).empty()) {
      const auto number = Number(entry.Field(3));
      if (!number) return Fail(entry, "the flags \"" + rtl::ToUtf8(entry.Field(3)) + "\" are no number");
      flags = *number;
    }
    constexpr ULONG kKnown = kTypeMask | kNoClobber | kDeleteValue | kAppend | kKeyOnly | kOverwriteOnly | k64BitKey |
                             kKeyOnlyCommon | k32BitKey;
    if (flags & ~kKnown) return Fail(entry, "unknown flags of AddReg");
    // No name and no value, and flags that say nothing else: the key alone.
    const bool bare = entry.fields.size() <= 3 && change.name.empty();
    if ((flags & (kKeyOnly | kKeyOnlyCommon)) || bare) {
      change.kind = Change::Kind::kCreateKey;
    } else if (flags & kDeleteValue) {
      change.kind = Change::Kind::kDeleteValue;
    } else {
      NT_TRY(EntryValue(entry, flags & kTypeMask, &change.value));
      if (flags & kAppend) {
        if ((flags & kTypeMask) != kTypeMulti) return Fail(entry, "only strings lists are appended to");
        change.kind = Change::Kind::kAppendStrings;
      }
      if (flags & kNoClobber) change.when = Change::When::kValueMissing;
      if (flags & kOverwriteOnly) change.when = Change::When::kValuePresent;
    }
    changes_->push_back(std::move(change));
    return STATUS_SUCCESS;
  }

  Status EntryValue(const InfLine& entry, ULONG type, Value* value) {
    const size_t count = entry.fields.size();
    switch (type) {
      case 0:
      case kTypeExpand:
        *value = MakeString(entry.Field(4), type == 0 ? REG_SZ : REG_EXPAND_SZ);
        return STATUS_SUCCESS;
      case kTypeMulti: {
        std::vector<std::u16string> strings;
        for (size_t i = 4; i < count; i++)
          if (!entry.fields[i].empty()) strings.push_back(entry.fields[i]);
        *value = JoinStrings(strings);
        return STATUS_SUCCESS;
      }
      case kTypeDword:
        if (count <= 5) {
          const auto number = entry.Field(4).empty() ? std::optional<ULONG>(0) : Number(entry.Field(4));
          if (!number) return Fail(entry, "\"" + rtl::ToUtf8(entry.Field(4)) + "\" is no 32-bit number");
          *value = MakeDword(*number);
          return STATUS_SUCCESS;
        }
        value->type = REG_DWORD;
        NT_TRY(EntryBytes(entry, value));
        return value->data.size() == sizeof(ULONG) ? Status(STATUS_SUCCESS) : Fail(entry, "a DWORD has four bytes");
      case kTypeNone:
        value->type = REG_NONE;
        return EntryBytes(entry, value);
      case kTypeBinary:
        value->type = REG_BINARY;
        return EntryBytes(entry, value);
      default:
        if (!(type & 1)) return Fail(entry, "unknown flags of AddReg");
        value->type = type >> 16;  // any type, as bytes
        return EntryBytes(entry, value);
    }
  }

  /// Bytes are hexadecimal, with or without 0x.
  Status EntryBytes(const InfLine& entry, Value* value) {
    for (size_t i = 4; i < entry.fields.size(); i++) {
      const std::u16string& text = entry.fields[i];
      if (text.empty()) continue;
      const auto number = Number(Begins(text, u"0x") ? text : u"0x" + text);
      if (!number || *number > 0xFF) return Fail(entry, "\"" + rtl::ToUtf8(text) + "\" is no hexadecimal byte");
      value->data.push_back(static_cast<UCHAR>(*number));
    }
    return STATUS_SUCCESS;
  }

  Status DeleteEntry(const InfLine& entry, const std::u16string& relative) {
    Change change{Change::Kind::kDeleteKey, {}, std::u16string(entry.Field(2)), {}, {}, entry.number};
    NT_TRY(EntryPath(entry, relative, &change.path));
    if (!entry.Field(3).empty()) return Fail(entry, "DelReg with flags is not supported");
    if (entry.fields.size() > 2) change.kind = Change::Kind::kDeleteValue;
    else if (entry.Field(1).empty()) return Fail(entry, "a root key cannot be deleted");
    changes_->push_back(std::move(change));
    return STATUS_SUCCESS;
  }

  Status DeleteService(const InfLine& line) {
    if (line.Field(0).empty()) return Fail(line, "DelService without a name");
    changes_->push_back({Change::Kind::kDeleteKey, std::u16string(kServicesPath) + u"\\" + std::u16string(line.Field(0)),
                         {}, {}, {}, line.number});
    return STATUS_SUCCESS;
  }

  // AddService = name, [flags], service-install-section [, event-log sections]
  Status AddService(const InfLine& line) {
    const std::u16string name(line.Field(0));
    if (name.empty()) return STATUS_SUCCESS;  // "AddService = ,2": a device without a function driver
    if (name.find(u'\\') != std::u16string::npos) return Fail(line, "a service name with a backslash");
    const InfSection* section = inf_.Find(line.Field(2));
    if (!section) return Fail(line, "there is no section [" + rtl::ToUtf8(line.Field(2)) + "]");
    const std::u16string key = std::u16string(kServicesPath) + u"\\" + name;
    const auto set = [&](const char16_t* value_name, Value value, unsigned number) {
      changes_->push_back({Change::Kind::kSetValue, key, value_name, std::move(value), {}, number});
    };
    ULONG type = 0;
    NT_TRY(ServiceNumber(*section, u"ServiceType", &type));
    set(u"Type", MakeDword(type), line.number);
    ULONG number = 0;
    NT_TRY(ServiceNumber(*section, u"StartType", &number));
    set(u"Start", MakeDword(number), line.number);
    NT_TRY(ServiceNumber(*section, u"ErrorControl", &number));
    set(u"ErrorControl", MakeDword(number), line.number);
    const InfLine* binary = section->Find(u"ServiceBinary");
    if (!binary || binary->Field(0).empty()) return Complain(why_, section->number, "a service without ServiceBinary");
    set(u"ImagePath", MakeString(ImagePath(binary->Field(0), type), REG_EXPAND_SZ), binary->number);
    const auto text = [&](const char16_t* directive, const char16_t* value_name) {
      if (const InfLine* found = section->Find(directive))
        set(value_name, MakeString(found->Field(0), REG_SZ), found->number);
    };
    text(u"DisplayName", u"DisplayName");
    text(u"Description", u"Description");
    text(u"LoadOrderGroup", u"Group");
    text(u"StartName", u"ObjectName");
    if (const InfLine* boot = section->Find(u"BootFlags")) {
      NT_TRY(ServiceNumber(*section, u"BootFlags", &number));
      set(u"BootFlags", MakeDword(number), boot->number);
    }
    if (const InfLine* dependencies = section->Find(u"Dependencies")) {
      std::vector<std::u16string> services, groups;
      for (auto& dependency : dependencies->fields) {
        if (dependency.empty()) continue;
        if (dependency[0] == u'+') groups.push_back(dependency.substr(1));  // SC_GROUP_IDENTIFIER
        else services.push_back(dependency);
      }
      if (!services.empty()) set(u"DependOnService", JoinStrings(services), dependencies->number);
      if (!groups.empty()) set(u"DependOnGroup", JoinStrings(groups), dependencies->number);
    }
    return RegistryDirectives(*section, key);
  }

  Status ServiceNumber(const InfSection& section, const char16_t* directive, ULONG* number) {
    const InfLine* line = section.Find(directive);
    if (!line) return Complain(why_, section.number, "a service without " + rtl::ToUtf8(directive));
    const auto value = Number(line->Field(0));
    if (!value) return Fail(*line, "\"" + rtl::ToUtf8(line->Field(0)) + "\" is no number");
    *number = *value;
    return STATUS_SUCCESS;
  }

  /// A driver's path names the Windows directory as the kernel does.
  static std::u16string ImagePath(std::u16string_view binary, ULONG type) {
    constexpr std::u16string_view kWindows = u"C:\\Windows\\";
    constexpr ULONG kDriver = 0x1 | 0x2 | 0x8;  // SERVICE_KERNEL_DRIVER, _FILE_SYSTEM_DRIVER, _RECOGNIZER_DRIVER
    if (!(type & kDriver) || !Begins(binary, kWindows)) return std::u16string(binary);
    return u"\\SystemRoot\\" + std::u16string(binary.substr(kWindows.size()));
  }

  const InfText& inf_;
  std::string* const why_;
  std::vector<Change>* const changes_;
  std::u16string class_guid_;
};

}  // namespace

Status LoadInf(std::string_view text, std::string* why) {
  std::u16string decoded;
  NT_TRY(DecodeText(text, &decoded, why));
  InfText inf;
  NT_TRY(inf.Parse(decoded, why));
  std::vector<Change> changes;
  NT_TRY(InfInstaller(inf, why, &changes).Run());
  return ApplyChanges(changes, why);
}

}  // namespace nt::cm
