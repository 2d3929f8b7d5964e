// Base integer types live in ntdef.h.
#pragma once
#include "ntdef.h"
