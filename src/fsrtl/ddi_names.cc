// Exports: names, expressions, expected exceptions.
#include "ntifs.h"
#include "src/fsrtl/fsrtl.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(VOID, FsRtlDissectName,
          (UNICODE_STRING path, PUNICODE_STRING first_name, PUNICODE_STRING remaining_name),
          (path, first_name, remaining_name)) {
  fsrtl::DissectName(path, first_name, remaining_name);
}
NT_EXPORT(BOOLEAN, FsRtlDoesNameContainWildCards, (PUNICODE_STRING name), (name)) {
  return fsrtl::DoesNameContainWildCards(name);
}
NT_EXPORT(BOOLEAN, FsRtlAreNamesEqual,
          (PCUNICODE_STRING constant_name_a, PCUNICODE_STRING constant_name_b, BOOLEAN ignore_case,
           PCWCH upcase_table),
          (constant_name_a, constant_name_b, ignore_case, upcase_table)) {
  return fsrtl::AreNamesEqual(constant_name_a, constant_name_b, ignore_case, upcase_table);
}
NT_EXPORT(BOOLEAN, FsRtlIsNameInExpression,
          (PUNICODE_STRING expression, PUNICODE_STRING name, BOOLEAN ignore_case, PWCH upcase_table),
          (expression, name, ignore_case, upcase_table)) {
  return fsrtl::IsNameInExpression(expression, name, ignore_case, upcase_table);
}
NT_EXPORT(BOOLEAN, FsRtlIsNameInUnUpcasedExpression,
          (PUNICODE_STRING expression, PUNICODE_STRING name, BOOLEAN ignore_case, PWCH upcase_table),
          (expression, name, ignore_case, upcase_table)) {
  return fsrtl::IsNameInUnUpcasedExpression(expression, name, ignore_case, upcase_table);
}
NT_EXPORT(VOID, FsRtlDissectDbcs,
          (ANSI_STRING path, PANSI_STRING first_name, PANSI_STRING remaining_name),
          (path, first_name, remaining_name)) {
  fsrtl::DissectDbcs(path, first_name, remaining_name);
}
NT_EXPORT(BOOLEAN, FsRtlDoesDbcsContainWildCards, (PANSI_STRING name), (name)) {
  return fsrtl::DoesDbcsContainWildCards(name);
}
NT_EXPORT(BOOLEAN, FsRtlIsDbcsInExpression, (PANSI_STRING expression, PANSI_STRING name), (expression, name)) {
  return fsrtl::IsDbcsInExpression(expression, name);
}
NT_EXPORT(BOOLEAN, FsRtlIsFatDbcsLegal,
          (ANSI_STRING dbcs_name, BOOLEAN wild_cards_permissible, BOOLEAN path_name_permissible,
           BOOLEAN leading_backslash_permissible),
          (dbcs_name, wild_cards_permissible, path_name_permissible, leading_backslash_permissible)) {
  return fsrtl::IsFatDbcsLegal(dbcs_name, wild_cards_permissible, path_name_permissible,
      leading_backslash_permissible);
}
NT_EXPORT(BOOLEAN, FsRtlIsHpfsDbcsLegal,
          (ANSI_STRING dbcs_name, BOOLEAN wild_cards_permissible, BOOLEAN path_name_permissible,
           BOOLEAN leading_backslash_permissible),
          (dbcs_name, wild_cards_permissible, path_name_permissible, leading_backslash_permissible)) {
  return fsrtl::IsHpfsDbcsLegal(dbcs_name, wild_cards_permissible, path_name_permissible,
      leading_backslash_permissible);
}
NT_EXPORT(NTSTATUS, FsRtlRemoveDotsFromPath,
          (PWSTR original_string, USHORT path_length, USHORT *new_length),
          (original_string, path_length, new_length)) {
  return fsrtl::RemoveDotsFromPath(original_string, path_length, new_length);
}
NT_EXPORT(BOOLEAN, FsRtlIsNtstatusExpected, (NTSTATUS exception), (exception)) {
  return fsrtl::IsNtstatusExpected(exception);
}
NT_EXPORT(NTSTATUS, FsRtlNormalizeNtstatus,
          (NTSTATUS exception, NTSTATUS generic_exception),
          (exception, generic_exception)) {
  return fsrtl::NormalizeNtstatus(exception, generic_exception);
}
NT_EXPORT(BOOLEAN, FsRtlIsTotalDeviceFailure, (NTSTATUS status), (status)) {
  return fsrtl::IsTotalDeviceFailure(status);
}
NT_EXPORT(VOID, FsRtlPostStackOverflow,
          (PVOID context, PKEVENT event, PFSRTL_STACK_OVERFLOW_ROUTINE stack_overflow_routine),
          (context, event, stack_overflow_routine)) {
  fsrtl::PostStackOverflow(context, event, stack_overflow_routine);
}
NT_EXPORT(VOID, FsRtlPostPagingFileStackOverflow,
          (PVOID context, PKEVENT event, PFSRTL_STACK_OVERFLOW_ROUTINE stack_overflow_routine),
          (context, event, stack_overflow_routine)) {
  fsrtl::PostPagingFileStackOverflow(context, event, stack_overflow_routine);
}
