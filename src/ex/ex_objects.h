// EX_TIMER and callback objects: the twins of ExAllocateTimer, ExCreateCallback and their kin.
#pragma once

#include "ntifs.h"
#include "src/base/status.h"

typedef struct _EX_TIMER EX_TIMER;
typedef struct _CALLBACK_OBJECT CALLBACK_OBJECT;

namespace nt::ex {

EX_TIMER* AllocateTimer(PEXT_CALLBACK callback, void* context, ULONG attributes);
/// @returns whether it was set already
bool SetTimer(EX_TIMER* timer, LONGLONG due_time, LONGLONG period_100ns);
bool CancelTimer(EX_TIMER* timer);
/// @param wait  at <= APC_LEVEL, with `cancel`: the callback is not running when this returns
/// @returns whether it was set, and cancelled
bool DeleteTimer(EX_TIMER* timer, bool cancel, bool wait, const EXT_DELETE_PARAMETERS* parameters);

Status CreateCallbackType();
/// What Windows has for drivers to register with. Nothing of it happens here: the time is not set, the power does not
/// change.
Status CreateSystemCallbacks();
Status CreateCallback(CALLBACK_OBJECT** callback, OBJECT_ATTRIBUTES* attributes, bool create, bool multiple);
void* RegisterCallback(CALLBACK_OBJECT* callback, PCALLBACK_FUNCTION function, void* context);
void UnregisterCallback(void* registration);
void NotifyCallback(CALLBACK_OBJECT* callback, void* argument1, void* argument2);

}  // namespace nt::ex
