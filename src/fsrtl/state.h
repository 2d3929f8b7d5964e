// What Boot and Shutdown call in the packages that have state of the machine.
#pragma once

#include "ntifs.h"

namespace nt::fsrtl {

void BootAcquire();
void ShutdownAcquire();
void BootContexts();
void ShutdownContexts();
void ForgetFileObjectContexts(PFILE_OBJECT file);
void ReleaseOplockKeys(PFILE_OBJECT file);
void BootSharedResources();
void ShutdownSharedResources();
void BootStackOverflow();
/// Ends the overflow threads; everything posted has run.
void ShutdownStackOverflow();

}  // namespace nt::fsrtl
