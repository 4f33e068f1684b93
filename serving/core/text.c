/* Rows of CSV and JSON text as doubles, and their scores: one pass, no memory of its own (docs/adr/0006).
 *
 * What is read here is read as `parsing.py` reads it. Whatever this file does not know for certain it refuses, and that
 * careful reader takes the whole text: for nan, quoted fields, unknown categories, escapes, records by name, and every
 * mistake, which it alone words. Every scan stops at a NUL, which must follow the text, at once or later.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CSV = 0, READ = 0, REFUSED = -1, MORE_ROWS = -2, EXACT_DIGITS = 15, EXACT_POWER = 22, LONGEST_NUMBER = 64 };

typedef struct {
    const int32_t *first; /* by input: its first category; one more at the end */
    const int32_t *start; /* by category: its first byte; one more at the end */
    const double *code;   /* by category; an input's categories stand in the order of their bytes */
    const char *bytes;
    const uint8_t *categorical; /* by input */
    const char *header;         /* what a header of CSV begins with */
    int32_t header_length;
    int32_t count;
} Inputs;

/* Where rows go. With a `score` they are scored whenever `rows` is full, and at last; without, they are kept. */
typedef struct {
    double *rows;
    int64_t room, held; /* how many rows there is place for, and how many there are */
    void (*score)(const void *model, double *rows, int64_t count, double *scores);
    const void *model;
    double *scores;
    int64_t scores_room, scored;
} Sink;

static int flush(Sink *sink) {
    if (!sink->score || sink->scored + sink->held > sink->scores_room) return 0;
    sink->score(sink->model, sink->rows, sink->held, sink->scores + sink->scored);
    sink->scored += sink->held;
    sink->held = 0;
    return 1;
}

static inline double *next_row(Sink *sink, const Inputs *inputs) {
    if (sink->held == sink->room && !flush(sink)) return NULL;
    return sink->rows + sink->held++ * inputs->count;
}

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

static int read_csv(const Inputs *inputs, const char *at, const char *end, Sink *sink) {
    if (!strncmp(at, "\xef\xbb\xbf", 3) || !strncmp(at, inputs->header, (size_t)inputs->header_length)) return REFUSED;
    while (at < end) {
        double *row = next_row(sink, inputs);
        if (!row) return MORE_ROWS;
        if (!(at = csv_row(inputs, at, row))) return REFUSED;
        at += *at == '\r';
        if (*at == '\n') at++;
        else if (at != end || at[-1] == '\r') return REFUSED;
    }
    return at == end ? READ : REFUSED;
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
static int read_json(const Inputs *inputs, const char *at, const char *end, Sink *sink) {
    static const char key[] = "\"instances\"";
    const char *object = mark(at, '{');
    if (object) at = strncmp(object, key, sizeof key - 1) ? NULL : mark(object + sizeof key - 1, ':');
    at = mark(at, '[');
    do {
        double *row = next_row(sink, inputs);
        if (!row) return MORE_ROWS;
        if (!at || !(at = json_row(inputs, at, row))) return REFUSED;
    } while (*at == ',' && (at = mark(at, ',')));
    at = mark(at, ']');
    if (object) at = mark(at, '}');
    return at == end ? READ : REFUSED;
}

/* Reads `length` bytes of text into an empty sink; how many rows there are, or REFUSED, or MORE_ROWS than it takes. */
int64_t sagestack_read(const Inputs *inputs, int32_t format, const char *text, int64_t length, Sink *sink) {
    sink->held = sink->scored = 0;
    int read = (format == CSV ? read_csv : read_json)(inputs, text, text + length, sink);
    if (read != READ) return read;
    if (!sink->score) return sink->held ? sink->held : REFUSED;
    return flush(sink) && sink->scored ? sink->scored : MORE_ROWS;
}
