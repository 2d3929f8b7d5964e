// Narrow and wide strings. Each pair is one text, instantiated for char and wchar_t; semantics are those of the C standard and,
// for names with an underscore or _s, of Microsoft's documentation.
#include "crt.h"

#define EINVAL 22
#define ERANGE 34

EXPORT int tolower(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
EXPORT int toupper(int c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }
EXPORT wchar_t towlower(wchar_t c) {
  if (c < 0x80) return (wchar_t)tolower(c);
  if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F)) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}
EXPORT wchar_t towupper(wchar_t c) {
  if (c < 0x80) return (wchar_t)toupper(c);
  if ((c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) || (c >= 0x430 && c <= 0x44F))
    return c - 32;
  if (c >= 0x450 && c <= 0x45F) return c - 80;
  return c;
}
EXPORT int isdigit(int c) { return c >= '0' && c <= '9'; }
EXPORT int islower(int c) { return c >= 'a' && c <= 'z'; }
EXPORT int isupper(int c) { return c >= 'A' && c <= 'Z'; }
EXPORT int isalpha(int c) { return islower(c) || isupper(c); }
EXPORT int isalnum(int c) { return isalpha(c) || isdigit(c); }
EXPORT int isspace(int c) { return c == ' ' || (c >= 9 && c <= 13); }
EXPORT int isxdigit(int c) { return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
EXPORT int isprint(int c) { return c >= 0x20 && c < 0x7f; }
EXPORT int isgraph(int c) { return c > 0x20 && c < 0x7f; }
EXPORT int ispunct(int c) { return isgraph(c) && !isalnum(c); }
EXPORT int iscntrl(int c) { return (c >= 0 && c < 0x20) || c == 0x7f; }
EXPORT int iswdigit(wchar_t c) { return c >= '0' && c <= '9'; }
EXPORT int iswspace(wchar_t c) { return c == ' ' || (c >= 9 && c <= 13) || c == 0xA0; }
EXPORT int iswxdigit(wchar_t c) { return c < 0x80 && isxdigit(c); }
EXPORT int iswalpha(wchar_t c) { return towlower(c) != towupper(c); }
EXPORT int iswalnum(wchar_t c) { return iswalpha(c) || iswdigit(c); }
EXPORT int iswlower(wchar_t c) { return towupper(c) != c; }
EXPORT int iswupper(wchar_t c) { return towlower(c) != c; }

#define STRING_ROUTINES(T, U, LEN, NLEN, CPY, NCPY, CAT, NCAT, CMP, NCMP, ICMP, NICMP, CHR, RCHR, STR, SPN, CSPN, PBRK, LWR, UPR, \
                        REV, SET, NSET, TOK_S, CPY_S, NCPY_S, CAT_S, NCAT_S, LOWER, UPPER)                                       \
  EXPORT size_t LEN(const T *s) {                                                                                                \
    size_t n = 0;                                                                                                                \
    while (s[n]) n++;                                                                                                            \
    return n;                                                                                                                    \
  }                                                                                                                              \
  EXPORT size_t NLEN(const T *s, size_t limit) {                                                                                 \
    size_t n = 0;                                                                                                                \
    while (n < limit && s[n]) n++;                                                                                               \
    return n;                                                                                                                    \
  }                                                                                                                              \
  EXPORT T *CPY(T *to, const T *from) {                                                                                          \
    size_t n = 0;                                                                                                                \
    do to[n] = from[n];                                                                                                          \
    while (from[n++]);                                                                                                           \
    return to;                                                                                                                   \
  }                                                                                                                              \
  EXPORT T *NCPY(T *to, const T *from, size_t count) {                                                                           \
    size_t n = 0;                                                                                                                \
    for (; n < count && from[n]; n++) to[n] = from[n];                                                                           \
    for (; n < count; n++) to[n] = 0;                                                                                            \
    return to;                                                                                                                   \
  }                                                                                                                              \
  EXPORT T *CAT(T *to, const T *from) {                                                                                          \
    CPY(to + LEN(to), from);                                                                                                     \
    return to;                                                                                                                   \
  }                                                                                                                              \
  EXPORT T *NCAT(T *to, const T *from, size_t count) {                                                                           \
    T *end = to + LEN(to);                                                                                                       \
    while (count-- && *from) *end++ = *from++;                                                                                   \
    *end = 0;                                                                                                                    \
    return to;                                                                                                                   \
  }                                                                                                                              \
  EXPORT int CMP(const T *l, const T *r) {                                                                                       \
    while (*l && *l == *r) l++, r++;                                                                                             \
    return (U)*l < (U)*r ? -1 : (U)*l > (U)*r;                                                                                   \
  }                                                                                                                              \
  EXPORT int NCMP(const T *l, const T *r, size_t count) {                                                                        \
    for (; count; count--, l++, r++) {                                                                                           \
      if (*l != *r) return (U)*l < (U)*r ? -1 : 1;                                                                               \
      if (!*l) break;                                                                                                            \
    }                                                                                                                            \
    return 0;                                                                                                                    \
  }                                                                                                                              \
  EXPORT int ICMP(const T *l, const T *r) {                                                                                      \
    for (;; l++, r++) {                                                                                                          \
      int a = LOWER((U)*l), b = LOWER((U)*r);                                                                                    \
      if (a != b) return a - b;                                                                                                  \
      if (!a) return 0;                                                                                                          \
    }                                                                                                                            \
  }                                                                                                                              \
  EXPORT int NICMP(const T *l, const T *r, size_t count) {                                                                       \
    for (; count; count--, l++, r++) {                                                                                           \
      int a = LOWER((U)*l), b = LOWER((U)*r);                                                                                    \
      if (a != b) return a - b;                                                                                                  \
      if (!a) return 0;                                                                                                          \
    }                                                                                                                            \
    return 0;                                                                                                                    \
  }                                                                                                                              \
  EXPORT T *CHR(const T *s, int c) {                                                                                             \
    for (;; s++) {                                                                                                               \
      if (*s == (T)c) return (T *)s;                                                                                             \
      if (!*s) return 0;                                                                                                         \
    }                                                                                                                            \
  }                                                                                                                              \
  EXPORT T *RCHR(const T *s, int c) {                                                                                            \
    const T *found = 0;                                                                                                          \
    for (;; s++) {                                                                                                               \
      if (*s == (T)c) found = s;                                                                                                 \
      if (!*s) return (T *)found;                                                                                                \
    }                                                                                                                            \
  }                                                                                                                              \
  EXPORT T *STR(const T *s, const T *wanted) {                                                                                   \
    for (;; s++) {                                                                                                               \
      size_t n = 0;                                                                                                              \
      while (wanted[n] && s[n] == wanted[n]) n++;                                                                                \
      if (!wanted[n]) return (T *)s;                                                                                             \
      if (!*s) return 0;                                                                                                         \
    }                                                                                                                            \
  }                                                                                                                              \
  EXPORT size_t SPN(const T *s, const T *set) {                                                                                  \
    size_t n = 0;                                                                                                                \
    while (s[n] && CHR(set, s[n])) n++;                                                                                          \
    return n;                                                                                                                    \
  }                                                                                                                              \
  EXPORT size_t CSPN(const T *s, const T *set) {                                                                                 \
    size_t n = 0;                                                                                                                \
    while (s[n] && !CHR(set, s[n])) n++;                                                                                         \
    return n;                                                                                                                    \
  }                                                                                                                              \
  EXPORT T *PBRK(const T *s, const T *set) {                                                                                     \
    s += CSPN(s, set);                                                                                                           \
    return *s ? (T *)s : 0;                                                                                                      \
  }                                                                                                                              \
  EXPORT T *LWR(T *s) {                                                                                                          \
    for (T *p = s; *p; p++) *p = (T)LOWER((U)*p);                                                                                \
    return s;                                                                                                                    \
  }                                                                                                                              \
  EXPORT T *UPR(T *s) {                                                                                                          \
    for (T *p = s; *p; p++) *p = (T)UPPER((U)*p);                                                                                \
    return s;                                                                                                                    \
  }                                                                                                                              \
  EXPORT T *REV(T *s) {                                                                                                          \
    size_t n = LEN(s);                                                                                                           \
    for (size_t i = 0; i < n / 2; i++) {                                                                                         \
      T c = s[i];                                                                                                                \
      s[i] = s[n - 1 - i];                                                                                                       \
      s[n - 1 - i] = c;                                                                                                          \
    }                                                                                                                            \
    return s;                                                                                                                    \
  }                                                                                                                              \
  EXPORT T *SET(T *s, int c) {                                                                                                   \
    for (T *p = s; *p; p++) *p = (T)c;                                                                                           \
    return s;                                                                                                                    \
  }                                                                                                                              \
  EXPORT T *NSET(T *s, int c, size_t count) {                                                                                    \
    for (T *p = s; *p && count; p++, count--) *p = (T)c;                                                                         \
    return s;                                                                                                                    \
  }                                                                                                                              \
  EXPORT T *TOK_S(T *s, const T *set, T **state) {                                                                               \
    if (!s) s = *state;                                                                                                          \
    s += SPN(s, set);                                                                                                            \
    T *end = s + CSPN(s, set);                                                                                                   \
    T *token = *s ? s : 0;                                                                                                       \
    if (*end) *end++ = 0;                                                                                                        \
    *state = end;                                                                                                                \
    return token;                                                                                                                \
  }                                                                                                                              \
  EXPORT int CPY_S(T *to, size_t capacity, const T *from) {                                                                      \
    if (!to || !capacity) return EINVAL;                                                                                         \
    size_t n = from ? NLEN(from, capacity) : capacity;                                                                           \
    if (n == capacity) {                                                                                                         \
      *to = 0;                                                                                                                   \
      return from ? ERANGE : EINVAL;                                                                                             \
    }                                                                                                                            \
    memmove(to, from, (n + 1) * sizeof(T));                                                                                      \
    return 0;                                                                                                                    \
  }                                                                                                                              \
  EXPORT int NCPY_S(T *to, size_t capacity, const T *from, size_t count) {                                                       \
    if (!count && !to && !capacity) return 0;                                                                                    \
    if (!to || !capacity) return EINVAL;                                                                                         \
    if (!from && count) {                                                                                                        \
      *to = 0;                                                                                                                   \
      return EINVAL;                                                                                                             \
    }                                                                                                                            \
    size_t n = count ? NLEN(from, count == (size_t)-1 ? capacity - 1 : count) : 0;                                               \
    if (n >= capacity) {                                                                                                         \
      *to = 0;                                                                                                                   \
      return ERANGE;                                                                                                             \
    }                                                                                                                            \
    memmove(to, from, n * sizeof(T));                                                                                            \
    to[n] = 0;                                                                                                                   \
    return count == (size_t)-1 && from[n] ? 80 : 0; /* STRUNCATE */                                                              \
  }                                                                                                                              \
  EXPORT int CAT_S(T *to, size_t capacity, const T *from) {                                                                      \
    if (!to || !capacity) return EINVAL;                                                                                         \
    size_t n = NLEN(to, capacity);                                                                                               \
    int error = n == capacity ? EINVAL : CPY_S(to + n, capacity - n, from);                                                      \
    if (error) *to = 0;                                                                                                          \
    return error;                                                                                                                \
  }                                                                                                                              \
  EXPORT int NCAT_S(T *to, size_t capacity, const T *from, size_t count) {                                                       \
    if (!to || !capacity) return EINVAL;                                                                                         \
    size_t n = NLEN(to, capacity);                                                                                               \
    int error = n == capacity ? EINVAL : NCPY_S(to + n, capacity - n, from, count);                                              \
    if (error && error != 80) *to = 0;                                                                                           \
    return error;                                                                                                                \
  }

STRING_ROUTINES(char, unsigned char, strlen, strnlen, strcpy, strncpy, strcat, strncat, strcmp, strncmp, _stricmp, _strnicmp, strchr,
                strrchr, strstr, strspn, strcspn, strpbrk, _strlwr, _strupr, _strrev, _strset, _strnset, strtok_s, strcpy_s,
                strncpy_s, strcat_s, strncat_s, tolower, toupper)
STRING_ROUTINES(wchar_t, wchar_t, wcslen, wcsnlen, wcscpy, wcsncpy, wcscat, wcsncat, wcscmp, wcsncmp, _wcsicmp, _wcsnicmp, wcschr,
                wcsrchr, wcsstr, wcsspn, wcscspn, wcspbrk, _wcslwr, _wcsupr, _wcsrev, _wcsset, _wcsnset, wcstok_s, wcscpy_s,
                wcsncpy_s, wcscat_s, wcsncat_s, towlower, towupper)

#define NUMBER_ROUTINES(T, TO_SIGNED, TO_UNSIGNED, TO_I64, TO_U64, A_INT, A_LONG, A_I64, FROM_INT, FROM_LONG, FROM_ULONG, FROM_I64, \
                        FROM_U64)                                                                                                 \
  static unsigned long long Parse_##TO_SIGNED(const T *s, T **end, int base, int *negative, int *overflow) {                      \
    const T *start = s;                                                                                                           \
    while (*s == ' ' || (*s >= 9 && *s <= 13)) s++;                                                                                    \
    *negative = *s == '-';                                                                                                        \
    *overflow = 0;                                                                                                                \
    if (*s == '-' || *s == '+') s++;                                                                                              \
    if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 32) == 'x') {                                                         \
      s += 2;                                                                                                                     \
      base = 16;                                                                                                                  \
    } else if (base == 0) {                                                                                                       \
      base = *s == '0' ? 8 : 10;                                                                                                  \
    }                                                                                                                             \
    unsigned long long value = 0;                                                                                                 \
    int digits = 0;                                                                                                               \
    for (;; s++, digits++) {                                                                                                      \
      int digit = *s >= '0' && *s <= '9' ? *s - '0' : (*s | 32) >= 'a' && (*s | 32) <= 'z' ? (*s | 32) - 'a' + 10 : 99;           \
      if (digit >= base) break;                                                                                                   \
      if (value > (0xffffffffffffffffull - (unsigned)digit) / (unsigned)base) *overflow = 1;                                      \
      value = value * (unsigned)base + (unsigned)digit;                                                                           \
    }                                                                                                                             \
    if (end) *end = (T *)(digits ? s : start);                                                                                    \
    return value;                                                                                                                 \
  }                                                                                                                               \
  EXPORT long TO_SIGNED(const T *s, T **end, int base) {                                                                          \
    int negative, overflow;                                                                                                       \
    unsigned long long v = Parse_##TO_SIGNED(s, end, base, &negative, &overflow);                                                 \
    if (overflow || v > 0x7fffffffull + negative) return negative ? (long)0x80000000 : 0x7fffffff;                                \
    return negative ? (long)-(long long)v : (long)v;                                                                              \
  }                                                                                                                               \
  EXPORT unsigned long TO_UNSIGNED(const T *s, T **end, int base) {                                                               \
    int negative, overflow;                                                                                                       \
    unsigned long long v = Parse_##TO_SIGNED(s, end, base, &negative, &overflow);                                                 \
    if (overflow || v > 0xffffffffull) return 0xffffffff;                                                                         \
    return negative ? (unsigned long)-(long long)v : (unsigned long)v;                                                            \
  }                                                                                                                               \
  EXPORT long long TO_I64(const T *s, T **end, int base) {                                                                        \
    int negative, overflow;                                                                                                       \
    unsigned long long v = Parse_##TO_SIGNED(s, end, base, &negative, &overflow);                                                 \
    if (overflow || v > 0x7fffffffffffffffull + negative) return negative ? -0x7fffffffffffffffll - 1 : 0x7fffffffffffffffll;     \
    return (long long)(negative ? 0 - v : v);                                                                                     \
  }                                                                                                                               \
  EXPORT unsigned long long TO_U64(const T *s, T **end, int base) {                                                               \
    int negative, overflow;                                                                                                       \
    unsigned long long v = Parse_##TO_SIGNED(s, end, base, &negative, &overflow);                                                 \
    return overflow ? 0xffffffffffffffffull : negative ? 0 - v : v;                                                               \
  }                                                                                                                               \
  EXPORT int A_INT(const T *s) { return TO_SIGNED(s, 0, 10); }                                                                    \
  EXPORT long A_LONG(const T *s) { return TO_SIGNED(s, 0, 10); }                                                                  \
  EXPORT long long A_I64(const T *s) { return TO_I64(s, 0, 10); }                                                                 \
  EXPORT T *FROM_U64(unsigned long long v, T *to, int base) {                                                                     \
    T digits[65];                                                                                                                 \
    int n = 0;                                                                                                                    \
    do {                                                                                                                          \
      int d = (int)(v % (unsigned)base);                                                                                          \
      digits[n++] = (T)(d < 10 ? '0' + d : 'a' + d - 10);                                                                         \
      v /= (unsigned)base;                                                                                                        \
    } while (v);                                                                                                                  \
    T *p = to;                                                                                                                    \
    while (n) *p++ = digits[--n];                                                                                                 \
    *p = 0;                                                                                                                       \
    return to;                                                                                                                    \
  }                                                                                                                               \
  EXPORT T *FROM_I64(long long v, T *to, int base) {                                                                              \
    if (v < 0 && base == 10) {                                                                                                    \
      *to = '-';                                                                                                                  \
      FROM_U64(0 - (unsigned long long)v, to + 1, base);                                                                          \
      return to;                                                                                                                  \
    }                                                                                                                             \
    return FROM_U64((unsigned long long)v, to, base);                                                                             \
  }                                                                                                                               \
  EXPORT T *FROM_INT(int v, T *to, int base) { return base == 10 ? FROM_I64(v, to, base) : FROM_U64((unsigned)v, to, base); }     \
  EXPORT T *FROM_LONG(long v, T *to, int base) { return FROM_INT(v, to, base); }                                                  \
  EXPORT T *FROM_ULONG(unsigned long v, T *to, int base) { return FROM_U64(v, to, base); }

NUMBER_ROUTINES(char, strtol, strtoul, _strtoi64, _strtoui64, atoi, atol, _atoi64, _itoa, _ltoa, _ultoa, _i64toa, _ui64toa)
NUMBER_ROUTINES(wchar_t, wcstol, wcstoul, _wcstoi64, _wcstoui64, _wtoi, _wtol, _wtoi64, _itow, _ltow, _ultow, _i64tow, _ui64tow)

EXPORT int abs(int v) { return v < 0 ? -v : v; }
EXPORT long labs(long v) { return v < 0 ? -v : v; }

static unsigned long seed = 1;
EXPORT void srand(unsigned v) { seed = v; }
EXPORT int rand(void) {
  seed = seed * 214013u + 2531011u;
  return (int)(seed >> 16 & 0x7fff);
}

typedef int (*Compare)(const void *, const void *);
EXPORT void *bsearch(const void *key, const void *base, size_t count, size_t bytes, Compare compare) {
  const char *at = base;
  while (count) {
    const char *middle = at + count / 2 * bytes;
    int order = compare(key, middle);
    if (!order) return (void *)middle;
    if (order > 0) {
      at = middle + bytes;
      count -= count / 2 + 1;
    } else {
      count /= 2;
    }
  }
  return 0;
}
static void Swap(char *a, char *b, size_t bytes) {
  for (; bytes; bytes--, a++, b++) {
    char c = *a;
    *a = *b;
    *b = c;
  }
}
// Heap sort: no recursion on a kernel stack, no bad case.
EXPORT void qsort(void *base, size_t count, size_t bytes, Compare compare) {
  char *items = base;
  for (size_t end = count, start = count / 2; end > 1;) {
    if (start) {
      start--;
    } else {
      end--;
      Swap(items, items + end * bytes, bytes);
    }
    for (size_t root = start;;) {
      size_t child = 2 * root + 1;
      if (child >= end) break;
      if (child + 1 < end && compare(items + child * bytes, items + (child + 1) * bytes) < 0) child++;
      if (compare(items + root * bytes, items + child * bytes) >= 0) break;
      Swap(items + root * bytes, items + child * bytes, bytes);
      root = child;
    }
  }
}

int _DllMainCRTStartup(void *instance, unsigned reason, void *reserved) { return 1; }
int _fltused = 0x9875;
