// What a query says of a file; shared by the IRP and the fast path.
#pragma once
#include "fat.h"

namespace fat {

ULONG FileAttributes(const Fcb& fcb);
void FillBasic(const Fcb& fcb, FILE_BASIC_INFORMATION* info);
void FillStandard(const Fcb& fcb, FILE_STANDARD_INFORMATION* info);
void FillNetworkOpen(const Fcb& fcb, FILE_NETWORK_OPEN_INFORMATION* info);

}  // namespace fat
