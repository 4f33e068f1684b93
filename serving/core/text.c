/* Rows of CSV and JSON text as doubles, one pass, no memory of its own (docs/adr/0006-serving-stack.md).
 *
 * What is read here is read as `parsing.py` reads it. Whatever this file does not know for certain it refuses, and that
 * careful reader takes the whole text: for nan, quoted fields, unknown categories, escapes, records by name, and every
 * mistake, which it alone words. A text ends with a NUL, on which every scan stops.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CSV = 0, REFUSED = -1, MORE_ROWS = -2, EXACT_DIGITS = 15, EXACT_POWER = 22, LONGEST_NUMBER = 64 };

typedef struct {
    const int32_t *first; /* by input: its first category; one more at the end */
    const int32_t *start; /* by category: its first byte; one more at the end */
    const double *code;   /* by category; an input's categories stand in the order of their bytes */
    const char *bytes;
    const uint8_t *categorical; /* by input */
    int32_t count;
} Inputs;

static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline int is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* A number as JSON writes it, to the nearest double. Few digits and a small power of ten are both exact as doubles, so
 * one division or product rounds right (Clinger 1990); the C library does the rest. Returns its end, or NULL. */
static const char *number(const char *at, double *value) {
    const char *start = at, *first = at += *at == '-';
    uint64_t digits = 0;
    int32_t power = 0;
    while (is_digit(*at)) digits = digits * 10 + (uint64_t)(*at++ - '0');
    int64_t length = at - first;
    if (!length || (*first == '0' && length > 1)) return NULL;
    if (*at == '.') {
        const char *point = at++;
        while (is_digit(*at)) digits = digits * 10 + (uint64_t)(*at++ - '0');
        if ((power = (int32_t)(point + 1 - at)) == 0) return NULL;
        length -= power;
    } else if (*start == '-' && !digits) {
        return NULL; /* an integer has no negative zero */
    }
    if (length <= EXACT_DIGITS && power >= -EXACT_POWER && (*at | 32) != 'e') {
        *value = (double)digits / POWERS[-power];
        if (*start == '-') *value = -*value;
        return at;
    }
    char *end;
    *value = strtod(start, &end);
    return isfinite(*value) && end - start <= LONGEST_NUMBER ? end : NULL;
}

static const char *category(const Inputs *inputs, int32_t input, const char *from, const char *to, double *value) {
    int32_t low = inputs->first[input], high = inputs->first[input + 1];
    size_t length = (size_t)(to - from);
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        size_t known = (size_t)(inputs->start[middle + 1] - inputs->start[middle]);
        int order = memcmp(from, inputs->bytes + inputs->start[middle], length < known ? length : known);
        if (!order && length == known) return *value = inputs->code[middle], to;
        if (order < 0 || (!order && length < known)) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

static const char *csv_row(const Inputs *inputs, const char *at, double *row) {
    for (int32_t input = 0; input < inputs->count; input++) {
        if (input && *at++ != ',') return NULL;
        if (*at == ',' || *at == '\n' || *at == '\r' || !*at) {
            row[input] = NAN;
        } else if (inputs->categorical[input]) {
            const char *from = at;
            while (*at && *at != ',' && *at != '\n' && *at != '\r' && *at != '"') at++;
            if (!(at = category(inputs, input, from, at, row + input))) return NULL;
        } else if (!(at = number(at, row + input))) {
            return NULL;
        }
    }
    return at;
}

static int64_t read_csv(const Inputs *inputs, const char *at, const char *end, double *rows, int64_t room) {
    int64_t row = 0;
    if (!strncmp(at, "\xef\xbb\xbf", 3)) return REFUSED;
    while (at < end) {
        if (row == room) return MORE_ROWS;
        if (!(at = csv_row(inputs, at, rows + row++ * inputs->count))) return REFUSED;
        at += *at == '\r';
        if (*at == '\n') at++;
        else if (at != end || at[-1] == '\r') return REFUSED;
    }
    return row ? row : REFUSED;
}

static inline const char *spaces(const char *at) {
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') at++;
    return at;
}

static inline const char *mark(const char *at, char expected) {
    return at && *(at = spaces(at)) == expected ? spaces(at + 1) : NULL;
}

static const char *json_row(const Inputs *inputs, const char *at, double *row) {
    at = mark(at, '[');
    for (int32_t input = 0; at && input < inputs->count; input++) {
        if (input && !(at = mark(at, ','))) return NULL;
        if (!strncmp(at, "null", 4)) {
            row[input] = NAN;
            at += 4;
        } else if (!inputs->categorical[input]) {
            at = number(at, row + input);
        } else {
            if (*at++ != '"') return NULL;
            const char *from = at;
            while ((unsigned char)*at >= ' ' && *at != '"' && *at != '\\') at++;
            if (*at != '"' || !(at = category(inputs, input, from, at, row + input))) return NULL;
            at++;
        }
    }
    return mark(at, ']');
}

/* [[…], …] or {"instances": [[…], …]} */
static int64_t read_json(const Inputs *inputs, const char *at, const char *end, double *rows, int64_t room) {
    static const char key[] = "\"instances\"";
    int64_t row = 0;
    const char *object = mark(at, '{');
    if (object) at = strncmp(object, key, sizeof key - 1) ? NULL : mark(object + sizeof key - 1, ':');
    at = mark(at, '[');
    do {
        if (row == room) return MORE_ROWS;
        if (!at || !(at = json_row(inputs, at, rows + row++ * inputs->count))) return REFUSED;
    } while (*at == ',' && (at = mark(at, ',')));
    at = mark(at, ']');
    if (object) at = mark(at, '}');
    return at == end ? row : REFUSED;
}

/* Reads `length` bytes of text into at most `room` rows; how many there are, or REFUSED, or MORE_ROWS. */
int64_t sagestack_read(const Inputs *inputs, int32_t format, const char *text, int64_t length, double *rows,
                       int64_t room) {
    return (format == CSV ? read_csv : read_json)(inputs, text, text + length, rows, room);
}
