// memcpy and kin for drivers. Vector loads and stores of at most 16 bytes: a driver may be called with any AVX state.
#include "crt.h"

typedef float Vector __attribute__((vector_size(16), aligned(1), may_alias));
typedef unsigned long long U64 __attribute__((aligned(1), may_alias));
typedef unsigned int U32 __attribute__((aligned(1), may_alias));
typedef unsigned short U16 __attribute__((aligned(1), may_alias));

#define LOAD(type, p, at) (*(const type *)((const char *)(p) + (at)))
#define STORE(type, p, at, v) (*(type *)((char *)(p) + (at)) = (v))

/// Up to 128 bytes: everything is loaded before anything is stored, so overlap does not matter.
static __inline void MoveSmall(char *to, const char *from, size_t bytes) {
  if (bytes > 64) {
    Vector a = LOAD(Vector, from, 0), b = LOAD(Vector, from, 16), c = LOAD(Vector, from, 32), d = LOAD(Vector, from, 48);
    Vector e = LOAD(Vector, from, bytes - 64), f = LOAD(Vector, from, bytes - 48), g = LOAD(Vector, from, bytes - 32),
           h = LOAD(Vector, from, bytes - 16);
    STORE(Vector, to, 0, a), STORE(Vector, to, 16, b), STORE(Vector, to, 32, c), STORE(Vector, to, 48, d);
    STORE(Vector, to, bytes - 64, e), STORE(Vector, to, bytes - 48, f), STORE(Vector, to, bytes - 32, g),
        STORE(Vector, to, bytes - 16, h);
  } else if (bytes > 32) {
    Vector a = LOAD(Vector, from, 0), b = LOAD(Vector, from, 16), c = LOAD(Vector, from, bytes - 32),
           d = LOAD(Vector, from, bytes - 16);
    STORE(Vector, to, 0, a), STORE(Vector, to, 16, b), STORE(Vector, to, bytes - 32, c), STORE(Vector, to, bytes - 16, d);
  } else if (bytes >= 16) {
    Vector a = LOAD(Vector, from, 0), b = LOAD(Vector, from, bytes - 16);
    STORE(Vector, to, 0, a), STORE(Vector, to, bytes - 16, b);
  } else if (bytes >= 8) {
    U64 a = LOAD(U64, from, 0), b = LOAD(U64, from, bytes - 8);
    STORE(U64, to, 0, a), STORE(U64, to, bytes - 8, b);
  } else if (bytes >= 4) {
    U32 a = LOAD(U32, from, 0), b = LOAD(U32, from, bytes - 4);
    STORE(U32, to, 0, a), STORE(U32, to, bytes - 4, b);
  } else if (bytes) {
    char a = from[0], b = from[bytes / 2], c = from[bytes - 1];
    to[0] = a, to[bytes / 2] = b, to[bytes - 1] = c;
  }
}

EXPORT void *memmove(void *to, const void *from, size_t bytes) {
  char *t = to;
  const char *f = from;
  if (bytes <= 128) {
    MoveSmall(t, f, bytes);
    return to;
  }
  if ((size_t)(t - f) >= bytes) {  // `to` below `from`, or no overlap: forward
    if (bytes >= 2048 && (size_t)(f - t) >= 64) {
      void *destination = to;
      __asm__ volatile("rep movsb" : "+D"(destination), "+S"(from), "+c"(bytes) : : "memory");
      return to;
    }
    Vector w = LOAD(Vector, f, bytes - 64), x = LOAD(Vector, f, bytes - 48), y = LOAD(Vector, f, bytes - 32),
           z = LOAD(Vector, f, bytes - 16);
    size_t at = 0;
    for (; at + 64 < bytes; at += 64) {
      Vector a = LOAD(Vector, f, at), b = LOAD(Vector, f, at + 16), c = LOAD(Vector, f, at + 32), d = LOAD(Vector, f, at + 48);
      STORE(Vector, t, at, a), STORE(Vector, t, at + 16, b), STORE(Vector, t, at + 32, c), STORE(Vector, t, at + 48, d);
    }
    STORE(Vector, t, bytes - 64, w), STORE(Vector, t, bytes - 48, x), STORE(Vector, t, bytes - 32, y),
        STORE(Vector, t, bytes - 16, z);
    return to;
  }
  Vector w = LOAD(Vector, f, 0), x = LOAD(Vector, f, 16), y = LOAD(Vector, f, 32), z = LOAD(Vector, f, 48);
  size_t at = bytes;
  for (; at > 64; at -= 64) {
    Vector a = LOAD(Vector, f, at - 64), b = LOAD(Vector, f, at - 48), c = LOAD(Vector, f, at - 32), d = LOAD(Vector, f, at - 16);
    STORE(Vector, t, at - 64, a), STORE(Vector, t, at - 48, b), STORE(Vector, t, at - 32, c), STORE(Vector, t, at - 16, d);
  }
  STORE(Vector, t, 0, w), STORE(Vector, t, 16, x), STORE(Vector, t, 32, y), STORE(Vector, t, 48, z);
  return to;
}

EXPORT void *memcpy(void *to, const void *from, size_t bytes) { return memmove(to, from, bytes); }

EXPORT void *memset(void *to, int value, size_t bytes) {
  char *t = to;
  const U64 pattern = 0x0101010101010101ull * (unsigned char)value;
  if (bytes < 16) {
    if (bytes >= 8) {
      STORE(U64, t, 0, pattern), STORE(U64, t, bytes - 8, pattern);
    } else if (bytes >= 4) {
      STORE(U32, t, 0, (U32)pattern), STORE(U32, t, bytes - 4, (U32)pattern);
    } else if (bytes) {
      t[0] = (char)value, t[bytes / 2] = (char)value, t[bytes - 1] = (char)value;
    }
    return to;
  }
  if (bytes >= 1024) {
    void *destination = to;
    __asm__ volatile("rep stosb" : "+D"(destination), "+c"(bytes) : "a"(value) : "memory");
    return to;
  }
  typedef unsigned long long Pair __attribute__((vector_size(16), aligned(1), may_alias));
  const Pair v = {pattern, pattern};
  for (size_t at = 0; at + 16 < bytes; at += 16) STORE(Pair, t, at, v);
  STORE(Pair, t, bytes - 16, v);
  return to;
}

EXPORT int memcmp(const void *left, const void *right, size_t bytes) {
  const unsigned char *l = left, *r = right;
  size_t at = 0;
  for (; at + 8 <= bytes; at += 8)
    if (LOAD(U64, l, at) != LOAD(U64, r, at)) break;
  for (; at < bytes; at++)
    if (l[at] != r[at]) return l[at] < r[at] ? -1 : 1;
  return 0;
}

EXPORT void *memchr(const void *in, int value, size_t bytes) {
  const unsigned char *p = in;
  for (; bytes; bytes--, p++)
    if (*p == (unsigned char)value) return (void *)p;
  return 0;
}

EXPORT int memcpy_s(void *to, size_t capacity, const void *from, size_t bytes) {
  if (!bytes) return 0;
  if (!to) return 22;
  if (!from || bytes > capacity) {
    memset(to, 0, capacity);
    return from ? 34 : 22;
  }
  memmove(to, from, bytes);
  return 0;
}
EXPORT int memmove_s(void *to, size_t capacity, const void *from, size_t bytes) {
  if (!bytes) return 0;
  if (!to || !from) return 22;
  if (bytes > capacity) return 34;
  memmove(to, from, bytes);
  return 0;
}
EXPORT int _memicmp(const void *left, const void *right, size_t bytes) {
  const unsigned char *l = left, *r = right;
  for (; bytes; bytes--, l++, r++) {
    int a = tolower(*l), b = tolower(*r);
    if (a != b) return a - b;
  }
  return 0;
}
