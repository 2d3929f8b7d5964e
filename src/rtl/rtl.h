// The run-time library: strings, case, code pages, bitmaps, trees, prefix tables, time, SIDs, ACLs, security descriptors.
//
// Inner twins of the Rtl* routines: same parameters, C++ types. What a routine promises to drivers stands at its declaration
// in include/wdk/nt/rtl.h; here is only what differs or what the runtime alone uses. Nothing here locks: tables, bitmaps and
// strings belong to their caller. Only routines that allocate use the pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "nt/rtl.h"
#include "src/base/status.h"

namespace nt::rtl {

// --- strings (strings.cc) ------------------------------------------------------------------------------------------------

inline std::u16string_view View(PCUNICODE_STRING string) {
  return {string->Buffer, string->Length / sizeof(WCHAR)};
}
inline std::u16string_view View(const UNICODE_STRING& string) { return View(&string); }
inline std::string_view View(const STRING& string) { return {string.Buffer, string.Length}; }
/// A counted string over characters that outlive it; at most 32,766 of them.
UNICODE_STRING UnicodeString(std::u16string_view text);

void InitString(PSTRING destination, const char* source);
void InitUnicodeString(PUNICODE_STRING destination, const WCHAR* source);
Status InitStringEx(PSTRING destination, const char* source);
Status InitUnicodeStringEx(PUNICODE_STRING destination, const WCHAR* source);
void CopyString(PSTRING destination, const STRING* source);
/// Adds a terminator where there is room.
void CopyUnicodeString(PUNICODE_STRING destination, PCUNICODE_STRING source);
Status AppendString(PSTRING destination, std::string_view source);
/// Adds a terminator where there is room.
Status AppendUnicode(PUNICODE_STRING destination, std::u16string_view source);

enum class Case : bool { kSensitive, kInsensitive };
inline Case CaseOf(BOOLEAN case_insensitive) { return case_insensitive ? Case::kInsensitive : Case::kSensitive; }

LONG CompareUnicode(std::u16string_view a, std::u16string_view b, Case fold);
bool EqualUnicode(std::u16string_view a, std::u16string_view b, Case fold);
bool PrefixUnicode(std::u16string_view prefix, std::u16string_view text, Case fold);
bool SuffixUnicode(std::u16string_view suffix, std::u16string_view text, Case fold);
inline LONG CompareUnicodeString(PCUNICODE_STRING a, PCUNICODE_STRING b, BOOLEAN fold) {
  return CompareUnicode(View(a), View(b), CaseOf(fold));
}
inline bool EqualUnicodeString(PCUNICODE_STRING a, PCUNICODE_STRING b, BOOLEAN fold) {
  return EqualUnicode(View(a), View(b), CaseOf(fold));
}
inline bool PrefixUnicodeString(PCUNICODE_STRING prefix, PCUNICODE_STRING text, BOOLEAN fold) {
  return PrefixUnicode(View(prefix), View(text), CaseOf(fold));
}
LONG CompareString(std::string_view a, std::string_view b, Case fold);
bool EqualString(std::string_view a, std::string_view b, Case fold);
bool PrefixString(std::string_view prefix, std::string_view text, Case fold);
/// The x65599 hash of RtlHashUnicodeString.
ULONG HashUnicode(std::u16string_view text, Case fold);

/// Frees a buffer that the library allocated and clears the string. STRING and UNICODE_STRING have one layout.
void FreeUnicodeString(PUNICODE_STRING string);
void FreeString(PSTRING string);
Status DuplicateUnicodeString(ULONG flags, PCUNICODE_STRING source, PUNICODE_STRING destination);
bool CreateUnicodeString(PUNICODE_STRING destination, const WCHAR* source);
Status ValidateUnicodeString(PCUNICODE_STRING string);

// --- numbers and GUIDs (numbers.cc) ----------------------------------------------------------------------------------------

Status IntegerToUnicodeString(ULONGLONG value, ULONG base, PUNICODE_STRING string);
Status UnicodeStringToInteger(std::u16string_view text, ULONG base, ULONG* value);
Status CharToInteger(const char* text, ULONG base, ULONG* value);
std::u16string GuidText(const GUID& guid);
Status StringFromGuid(const GUID& guid, PUNICODE_STRING string);
Status GuidFromString(std::u16string_view text, GUID* guid);
/// "1.2.3.4" or "1.2.3.4:80"; `port` in network order.
std::string Ipv4Text(const unsigned char address[4], USHORT port);
/// RFC 5952 form; with a port "[...%scope]:80".
std::string Ipv6Text(const unsigned char address[16], ULONG scope, USHORT port);

// --- case (case.cc) ----------------------------------------------------------------------------------------------------------

WCHAR UpcaseUnicodeChar(WCHAR character);
WCHAR DowncaseUnicodeChar(WCHAR character);
/// Upcases a byte of the ANSI code page; bytes whose capital the page lacks stay.
char UpperChar(char character);
void UpperString(PSTRING destination, const STRING* source);
Status UpcaseUnicodeString(PUNICODE_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate);
Status DowncaseUnicodeString(PUNICODE_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate);
std::u16string Upcase(std::u16string_view text);

// --- code pages (code_page.cc) -------------------------------------------------------------------------------------------------

struct CodePage;
const CodePage& AnsiPage();
const CodePage& OemPage();
USHORT CodePageNumber(const CodePage& page);
/// Chooses the OEM page: 437 (the default), 850 or 1252. Before drivers run.
/// @returns STATUS_INVALID_PARAMETER for another page
Status SelectOemCodePage(USHORT number);

WCHAR ToUnicode(const CodePage& page, unsigned char byte);
/// The byte of a character, its best fit, or '?'.
unsigned char FromUnicode(const CodePage& page, WCHAR character);

enum class Upper : bool { kNo, kYes };

// The N forms: as much as fits; STATUS_BUFFER_OVERFLOW when text is left. `written` may be null; it counts bytes.
Status ToUnicodeN(const CodePage& page, WCHAR* out, ULONG out_bytes, ULONG* written, const char* in, ULONG in_bytes);
Status FromUnicodeN(const CodePage& page, char* out, ULONG out_bytes, ULONG* written, const WCHAR* in, ULONG in_bytes,
                    Upper upper);

/// What a conversion between counted strings does beside converting.
struct ConvertOptions {
  bool allocate = false;         // the destination's buffer comes from paged pool
  bool terminate = true;         // room for, and a terminator; false: the Counted routines
  Upper upper = Upper::kNo;
  bool refuse_unmappable = false;  // STATUS_UNMAPPABLE_CHARACTER where the default character would stand in
};
Status ToUnicodeString(const CodePage& page, PUNICODE_STRING destination, const STRING* source, ConvertOptions options);
Status FromUnicodeString(const CodePage& page, PSTRING destination, PCUNICODE_STRING source, ConvertOptions options);

// --- UTF-8 (utf8.cc) -------------------------------------------------------------------------------------------------------------

Status UnicodeToUtf8N(char* out, ULONG out_bytes, ULONG* actual, const WCHAR* in, ULONG in_bytes);
Status Utf8ToUnicodeN(WCHAR* out, ULONG out_bytes, ULONG* actual, const char* in, ULONG in_bytes);
Status UnicodeStringToUtf8String(PSTRING destination, PCUNICODE_STRING source, BOOLEAN allocate);
Status Utf8StringToUnicodeString(PUNICODE_STRING destination, const STRING* source, BOOLEAN allocate);
/// For messages and host names; a lone surrogate becomes U+FFFD.
std::string ToUtf8(std::u16string_view text);
std::u16string FromUtf8(std::string_view text);

// --- short names (eightdotthree.cc) ---------------------------------------------------------------------------------------------

Status Generate8dot3Name(PCUNICODE_STRING name, BOOLEAN allow_extended, PGENERATE_NAME_CONTEXT context,
                         PUNICODE_STRING name_8dot3);
bool IsNameLegalDos8Dot3(PCUNICODE_STRING name, POEM_STRING oem_name, PBOOLEAN name_contains_spaces);

// --- bitmaps (bitmap.cc) ---------------------------------------------------------------------------------------------------------

inline constexpr ULONG kNoBit = 0xFFFFFFFF;
enum class Bit : bool { kClear, kSet };

void InitializeBitMap(PRTL_BITMAP map, PULONG buffer, ULONG bits);
void FillAllBits(PRTL_BITMAP map, Bit value);
/// Out-of-range parts are left alone.
void FillBits(PRTL_BITMAP map, ULONG start, ULONG count, Bit value);
bool TestBit(const RTL_BITMAP* map, ULONG index);
/// FALSE for an empty or out-of-range range.
bool AreBits(const RTL_BITMAP* map, ULONG start, ULONG count, Bit value);
ULONG CountBits(const RTL_BITMAP* map, ULONG start, ULONG count, Bit value);
ULONG FindBits(const RTL_BITMAP* map, ULONG count, ULONG hint, Bit value);
ULONG FindBitsAndFlip(PRTL_BITMAP map, ULONG count, ULONG hint, Bit value);
ULONG FindClearRuns(const RTL_BITMAP* map, PRTL_BITMAP_RUN runs, ULONG room, BOOLEAN longest);
ULONG FindLongestRunClear(const RTL_BITMAP* map, PULONG start);
ULONG FindNextForwardRunClear(const RTL_BITMAP* map, ULONG from, PULONG start);
ULONG FindLastBackwardRunClear(const RTL_BITMAP* map, ULONG from, PULONG start);

// --- splay trees (splay.cc) ------------------------------------------------------------------------------------------------------

PRTL_SPLAY_LINKS Splay(PRTL_SPLAY_LINKS links);
PRTL_SPLAY_LINKS Delete(PRTL_SPLAY_LINKS links);
void DeleteNoSplay(PRTL_SPLAY_LINKS links, PRTL_SPLAY_LINKS* root);
PRTL_SPLAY_LINKS SubtreeSuccessor(PRTL_SPLAY_LINKS links);
PRTL_SPLAY_LINKS SubtreePredecessor(PRTL_SPLAY_LINKS links);
PRTL_SPLAY_LINKS RealSuccessor(PRTL_SPLAY_LINKS links);
PRTL_SPLAY_LINKS RealPredecessor(PRTL_SPLAY_LINKS links);

// --- generic tables (generic_table.cc, avl_table.cc) -------------------------------------------------------------------------------

void InitializeGenericTable(PRTL_GENERIC_TABLE table, PRTL_GENERIC_COMPARE_ROUTINE compare,
                            PRTL_GENERIC_ALLOCATE_ROUTINE allocate, PRTL_GENERIC_FREE_ROUTINE free, PVOID context);
PVOID InsertElementGenericTable(PRTL_GENERIC_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new);
PVOID InsertElementGenericTableFull(PRTL_GENERIC_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new,
                                    PVOID node_or_parent, TABLE_SEARCH_RESULT result);
bool DeleteElementGenericTable(PRTL_GENERIC_TABLE table, PVOID buffer);
PVOID LookupElementGenericTable(PRTL_GENERIC_TABLE table, PVOID buffer);
PVOID LookupElementGenericTableFull(PRTL_GENERIC_TABLE table, PVOID buffer, PVOID* node_or_parent,
                                    TABLE_SEARCH_RESULT* result);
PVOID EnumerateGenericTable(PRTL_GENERIC_TABLE table, BOOLEAN restart);
PVOID EnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE table, PVOID* restart_key);
PVOID GetElementGenericTable(PRTL_GENERIC_TABLE table, ULONG index);

void InitializeGenericTableAvl(PRTL_AVL_TABLE table, PRTL_AVL_COMPARE_ROUTINE compare,
                               PRTL_AVL_ALLOCATE_ROUTINE allocate, PRTL_AVL_FREE_ROUTINE free, PVOID context);
PVOID InsertElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new);
PVOID InsertElementGenericTableFullAvl(PRTL_AVL_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new,
                                       PVOID node_or_parent, TABLE_SEARCH_RESULT result);
bool DeleteElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer);
void DeleteElementGenericTableAvlEx(PRTL_AVL_TABLE table, PVOID node);
PVOID LookupElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer);
PVOID LookupElementGenericTableFullAvl(PRTL_AVL_TABLE table, PVOID buffer, PVOID* node_or_parent,
                                       TABLE_SEARCH_RESULT* result);
PVOID LookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer, PVOID* restart_key);
PVOID EnumerateGenericTableAvl(PRTL_AVL_TABLE table, BOOLEAN restart);
PVOID EnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE table, PVOID* restart_key);
PVOID EnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE table, PRTL_AVL_MATCH_FUNCTION match, PVOID match_data,
                                          ULONG next, PVOID* restart_key, PULONG delete_count, PVOID buffer);
PVOID GetElementGenericTableAvl(PRTL_AVL_TABLE table, ULONG index);

// --- prefix tables (prefix.cc) -----------------------------------------------------------------------------------------------------

void InitializeUnicodePrefix(PUNICODE_PREFIX_TABLE table);
bool InsertUnicodePrefix(PUNICODE_PREFIX_TABLE table, PUNICODE_STRING prefix, PUNICODE_PREFIX_TABLE_ENTRY entry);
void RemoveUnicodePrefix(PUNICODE_PREFIX_TABLE table, PUNICODE_PREFIX_TABLE_ENTRY entry);
PUNICODE_PREFIX_TABLE_ENTRY FindUnicodePrefix(PUNICODE_PREFIX_TABLE table, PCUNICODE_STRING full_name,
                                              ULONG case_insensitive_index);
PUNICODE_PREFIX_TABLE_ENTRY NextUnicodePrefix(PUNICODE_PREFIX_TABLE table, BOOLEAN restart);

// --- time (time.cc) ------------------------------------------------------------------------------------------------------------------

void TimeToTimeFields(LONGLONG time_100ns, PTIME_FIELDS fields);
bool TimeFieldsToTime(const TIME_FIELDS* fields, PLARGE_INTEGER time);
bool TimeToSecondsSince1980(LONGLONG time_100ns, PULONG seconds);
LONGLONG SecondsSince1980ToTime(ULONG seconds);
bool TimeToSecondsSince1970(LONGLONG time_100ns, PULONG seconds);
LONGLONG SecondsSince1970ToTime(ULONG seconds);

// --- memory, random, version, run once -------------------------------------------------------------------------------------------------

SIZE_T CompareMemory(const void* a, const void* b, SIZE_T bytes);
SIZE_T CompareMemoryUlong(const void* source, SIZE_T bytes, ULONG pattern);

ULONG Random(PULONG seed);
ULONG RandomEx(PULONG seed);

/// The Windows that the runtime says it is: 10.0 build 19045, workstation.
inline constexpr ULONG kMajorVersion = 10;
inline constexpr ULONG kMinorVersion = 0;
inline constexpr ULONG kBuildNumber = 19045;
Status GetVersion(PRTL_OSVERSIONINFOW information);
Status VerifyVersionInfo(const RTL_OSVERSIONINFOEXW* wanted, ULONG type_mask, ULONGLONG condition_mask);
ULONGLONG SetConditionMask(ULONGLONG mask, ULONG types, UCHAR condition);
bool IsNtDdiVersionAvailable(ULONG version);

void RunOnceInitialize(PRTL_RUN_ONCE once);
Status RunOnceBeginInitialize(PRTL_RUN_ONCE once, ULONG flags, PVOID* context);
Status RunOnceComplete(PRTL_RUN_ONCE once, ULONG flags, PVOID context);
Status RunOnceExecuteOnce(PRTL_RUN_ONCE once, PRTL_RUN_ONCE_INIT_FN init, PVOID parameter, PVOID* context);

// --- SIDs and ACLs (sid_acl.cc) -----------------------------------------------------------------------------------------------------------

bool ValidSid(PSID sid);
bool EqualSid(PSID a, PSID b);
bool EqualPrefixSid(PSID a, PSID b);
ULONG LengthRequiredSid(ULONG sub_authorities);
ULONG LengthSid(PSID sid);
Status InitializeSid(PSID sid, const SID_IDENTIFIER_AUTHORITY* authority, UCHAR sub_authorities);
Status CopySid(ULONG bytes, PSID destination, PSID source);
std::u16string SidText(PSID sid);
Status ConvertSidToUnicodeString(PUNICODE_STRING string, PSID sid, BOOLEAN allocate);

void MapGenericMask(PACCESS_MASK mask, const GENERIC_MAPPING* mapping);
Status CreateAcl(PACL acl, ULONG bytes, ULONG revision);
bool ValidAcl(PACL acl);
/// Sets *first to the byte after the last ACE, or to null when the ACL is full. FALSE: the ACEs overrun the ACL.
bool FirstFreeAce(PACL acl, PVOID* first);
Status AddAce(PACL acl, ULONG revision, ULONG index, PVOID aces, ULONG bytes);
Status DeleteAce(PACL acl, ULONG index);
Status GetAce(PACL acl, ULONG index, PVOID* ace);
/// @param type  ACCESS_ALLOWED_ACE_TYPE, ACCESS_DENIED_ACE_TYPE, or another of the same layout
Status AddKnownAce(PACL acl, ULONG revision, ULONG flags, ACCESS_MASK mask, PSID sid, UCHAR type);
Status QueryInformationAcl(PACL acl, PVOID information, ULONG bytes, ACL_INFORMATION_CLASS information_class);

// --- security descriptors (security_descriptor.cc) ----------------------------------------------------------------------------------------

// The parts of a descriptor of either form; null where absent.
PSID OwnerOf(PSECURITY_DESCRIPTOR descriptor);
PSID GroupOf(PSECURITY_DESCRIPTOR descriptor);
PACL DaclOf(PSECURITY_DESCRIPTOR descriptor);
PACL SaclOf(PSECURITY_DESCRIPTOR descriptor);

Status CreateSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, ULONG revision);
Status CreateSecurityDescriptorRelative(PISECURITY_DESCRIPTOR_RELATIVE descriptor, ULONG revision);
bool ValidSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor);
bool ValidRelativeSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, ULONG bytes, SECURITY_INFORMATION required);
ULONG LengthSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor);
Status GetControlSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, PSECURITY_DESCRIPTOR_CONTROL control,
                                    PULONG revision);
Status SetControlSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, SECURITY_DESCRIPTOR_CONTROL of_interest,
                                    SECURITY_DESCRIPTOR_CONTROL to_set);
Status SetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, BOOLEAN present, PACL dacl, BOOLEAN defaulted);
Status GetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, PBOOLEAN present, PACL* dacl, PBOOLEAN defaulted);
Status SetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, BOOLEAN present, PACL sacl, BOOLEAN defaulted);
Status GetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, PBOOLEAN present, PACL* sacl, PBOOLEAN defaulted);
Status SetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, PSID owner, BOOLEAN defaulted);
Status GetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, PSID* owner, PBOOLEAN defaulted);
Status SetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, PSID group, BOOLEAN defaulted);
Status GetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, PSID* group, PBOOLEAN defaulted);
/// From either form. STATUS_BUFFER_TOO_SMALL sets *bytes to what is needed.
Status MakeSelfRelativeSd(PSECURITY_DESCRIPTOR descriptor, PSECURITY_DESCRIPTOR relative, PULONG bytes);
Status AbsoluteToSelfRelativeSd(PSECURITY_DESCRIPTOR absolute, PSECURITY_DESCRIPTOR relative, PULONG bytes);
Status SelfRelativeToAbsoluteSd(PSECURITY_DESCRIPTOR relative, PSECURITY_DESCRIPTOR absolute, PULONG absolute_bytes,
                                PACL dacl, PULONG dacl_bytes, PACL sacl, PULONG sacl_bytes, PSID owner,
                                PULONG owner_bytes, PSID group, PULONG group_bytes);

}  // namespace nt::rtl
