/* Plain decimal numbers, correctly rounded.
 *
 * Sources: Clinger, How to read floating point numbers accurately (1990): exact digits times or by an exact power of ten;
 * Lemire, Number parsing at a gigabyte per second (2021): eight digits at once.
 */
#ifndef NUMBER_H
#define NUMBER_H
#include <float.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NUMBER = 64, MAX_EXPONENT = 5, MAX_DIGITS = 19, SHORT_NUMBER = 17 };

static inline uint64_t eight(const char *at) {
    uint64_t word;
    memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t four(const char *at) {
    uint32_t word;
    memcpy(&word, at, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap32(word);
#endif
    return word;
}

/* How many of eight bytes are digits, up to the first that is none: the high half of a digit's byte is 3, with 6 more too. */
static inline int leading_digits(uint64_t word) {
    const uint64_t halves = 0xF0F0F0F0F0F0F0F0u, threes = 0x3030303030303030u, sixes = 0x0606060606060606u;
    uint64_t other = ((word & halves) ^ threes) | (((word + sixes) & halves) ^ threes);
    return other ? __builtin_ctzll(other) / 8 : 8;
}

/* The number that the first one to eight bytes say: pairs of digits, of pairs, of fours. */
static inline uint64_t value_of(uint64_t word, int digits) {
    word = (word << (64 - 8 * digits)) & 0x0F0F0F0F0F0F0F0Fu;
    word = (word * (10 * 256 + 1)) >> 8;
    word = ((word & 0x00FF00FF00FF00FFu) * (100 * 65536 + 1)) >> 16;
    return ((word & 0x0000FFFF0000FFFFu) * (10000 * (1ull << 32) + 1)) >> 32;
}

static double scaled(const char *from, int64_t size, uint64_t digits, int exponent) {
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int down = exponent < 0, by = down ? -exponent : exponent;
    if (by <= 22 && digits <= 1ull << 53) return down ? (double)digits / power[by] : (double)digits * power[by];
#if LDBL_MANT_DIG == 64
    /* Both sides are exact in 64 bits, so one rounding to 64 and one to 53: right, but next to halfway. */
    if (by <= 22) {
        long double wide = down ? (long double)digits / power[by] : (long double)digits * power[by];
        uint64_t mantissa;
        memcpy(&mantissa, &wide, 8);
        int64_t off = (int64_t)(mantissa & 0x7FF) - 0x400;
        if (off < -1 || off > 1) return (double)wide;
    }
#endif
    char copy[MAX_NUMBER + 1];
    memcpy(copy, from, size);
    copy[size] = 0;
    return strtod(copy, NULL);
}

static inline int is_digit(char at) { return (unsigned char)(at - '0') < 10; }

/* The text without the zeros it begins with has more digits than are exact. */
static int too_long(const char *at, int64_t digits) {
    for (; digits > MAX_DIGITS && (*at == '0' || *at == '.'); at++) digits -= *at == '0';
    return digits > MAX_DIGITS;
}

static const char *power_of_ten(const char *at, const char *end, int *exponent) {
    int power = 0, down = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    const char *first = at;
    for (; at < end && at - first < 3 && is_digit(*at); at++) power = 10 * power + (*at - '0');
    *exponent += down ? -power : power;
    return at == first ? NULL : at;
}

/* Up to seven digits, and as many behind a point: eight bytes at a time, for a branch a digit is guessed wrong too often.
 * NULL for any other number, or what is none. */
static inline const char *short_number(const char *at, const char *end, double *value) {
    static const double power[2][8] = {{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7}, {-1e0, -1e1, -1e2, -1e3, -1e4, -1e5, -1e6, -1e7}};
    if (end - at < SHORT_NUMBER) return NULL;
    const int negative = *at == '-';
    at += negative;
    uint64_t word = eight(at), digits;
    int size = leading_digits(word), fraction = 0;
    if (!size || size == 8) return NULL;
    if (at[size] == '.') {
        const int whole = 8 * size;
        const uint64_t behind = word >> whole >> 8;
        fraction = leading_digits(behind);
        if (size + fraction < 7) { /* The point is taken out, for all digits are here. */
            digits = value_of((word & ~(~0ull << whole)) | behind << whole, size + fraction);
        } else {
            word = eight(at + size + 1);
            fraction = leading_digits(word);
            if (fraction == 8) return NULL;
            digits = value_of(eight(at), size) * (uint64_t)power[0][fraction] + value_of(word, fraction);
        }
        if (!fraction) return NULL;
        at += 1 + fraction;
    } else
        digits = value_of(word, size);
    at += size;
    if (*at == 'e' || *at == 'E') return NULL;
    *value = (double)(int64_t)digits / power[negative][fraction];
    return at;
}

/* -?digits(.digits)?(e-?digits)?, correctly rounded. Returns where it ends; NULL if `from` begins no such number. */
static const char *number(const char *from, const char *end, double *value) {
    const char *at = short_number(from, end, value);
    if (at) return at;
    at = from;
    uint64_t digits = 0;
    int negative = at < end && *at == '-', exponent = 0;
    const char *whole = at += negative;
    for (; at < end && is_digit(*at); at++) digits = 10 * digits + (uint64_t)(*at - '0');
    int64_t count = at - whole;
    if (!count) return NULL;
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        for (; at < end && is_digit(*at); at++) digits = 10 * digits + (uint64_t)(*at - '0');
        if (at == fraction) return NULL;
        count += at - fraction;
        exponent = -(int)(at - fraction);
    }
    if (at - from > MAX_NUMBER - MAX_EXPONENT || too_long(whole, count)) return NULL;
    if (at < end && (*at == 'e' || *at == 'E') && !(at = power_of_ten(at + 1, end, &exponent))) return NULL;
    *value = scaled(whole, at - whole, digits, exponent);
    if (negative) *value = -*value;
    return at;
}

#endif
