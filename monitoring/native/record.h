/* A capture record's few texts, out of one line of JSON: strict, and handing back whatever is not plain.
 *
 * Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html (the record's form).
 */
#ifndef RECORD_H
#define RECORD_H
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { TIME_CHARS = 20, MAX_DEPTH = 8, CSV_TYPE = 8 };

typedef struct {
    const char *at;
    int64_t size;
} Text;

typedef struct {
    Text type, data, encoding;
} Side;

typedef struct {
    Side input, output;
    Text id, time, version;
} Record;

typedef struct {
    const char *at, *end;
} Cursor;

static int is(Text text, const char *word) {
    return text.size == (int64_t)strlen(word) && !memcmp(text.at, word, text.size);
}

static void blanks(Cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r')) c->at++;
}

static int take(Cursor *c, char wanted) {
    blanks(c);
    if (c->at == c->end || *c->at != wanted) return 0;
    c->at++;
    return 1;
}

/* To the next byte that ends a string, escapes, or is no plain ASCII: many at a time, by what the processor has, or by
 * Mycroft's test for a zero byte, whose lowest hit is a true one. */
static inline const char *plain(const char *at, const char *end) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)at);
        __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape));
        int special = _mm_movemask_epi8(_mm_or_si128(ends, _mm_cmplt_epi8(bytes, blank)));
        if (special) return at + __builtin_ctz((unsigned)special);
    }
#elif __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    for (uint64_t eight; end - at >= 8; at += 8) {
        memcpy(&eight, at, 8);
        uint64_t quote = eight ^ (ones * '"'), escape = eight ^ (ones * '\\');
        uint64_t special = ((quote - ones) & ~quote) | ((escape - ones) & ~escape) | (eight - ones * ' ') | eight;
        if (special &= highs) return at + __builtin_ctzll(special) / 8;
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && (signed char)*at >= ' ') at++;
    return at;
}

/* What a string holds: plain ASCII; of escapes, the ends of lines alone, left as they are. */
static inline int inside(Cursor *c, Text *text) {
    const char *from = c->at;
    while ((c->at = plain(c->at, c->end)) < c->end && *c->at == '\\') {
        if (c->end - c->at < 2 || (c->at[1] != 'n' && c->at[1] != 'r')) return 0;
        c->at += 2;
    }
    *text = (Text){from, c->at - from};
    return 1;
}

static int string(Cursor *c, Text *text) { return take(c, '"') && inside(c, text) && take(c, '"'); }

/* What the record says besides: strings, lists and objects of them. */
static int skip(Cursor *c, int depth) {
    Text text;
    blanks(c);
    if (c->at == c->end || depth > MAX_DEPTH) return 0;
    if (*c->at == '"') return string(c, &text);
    char open = *c->at++, close = open == '{' ? '}' : ']';
    if (open != '{' && open != '[') return 0;
    if (take(c, close)) return 1;
    do {
        if (open == '{' && !(string(c, &text) && take(c, ':'))) return 0;
        if (!skip(c, depth + 1)) return 0;
    } while (take(c, ','));
    return take(c, close);
}

static int once(Cursor *c, Text *text) { return !text->at && string(c, text); }

static int side(Cursor *c, Side *side) {
    Text key;
    if (side->data.at || !take(c, '{')) return 0;
    do {
        if (!(string(c, &key) && take(c, ':'))) return 0;
        int read = is(key, "data")                  ? once(c, &side->data)
                   : is(key, "encoding")            ? once(c, &side->encoding)
                   : is(key, "observedContentType") ? once(c, &side->type)
                                                    : skip(c, 0);
        if (!read) return 0;
    } while (take(c, ','));
    return take(c, '}') && side->data.at;
}

static int capture_data(Cursor *c, Record *record) {
    Text key;
    if (record->input.data.at || !take(c, '{')) return 0;
    do {
        if (!(string(c, &key) && take(c, ':'))) return 0;
        int read = is(key, "endpointInput")    ? side(c, &record->input)
                   : is(key, "endpointOutput") ? side(c, &record->output)
                                               : skip(c, 0);
        if (!read) return 0;
    } while (take(c, ','));
    return take(c, '}') && record->input.data.at;
}

static int metadata(Cursor *c, Record *record) {
    Text key;
    if (record->time.at || !take(c, '{')) return 0;
    do {
        if (!(string(c, &key) && take(c, ':'))) return 0;
        int read = is(key, "eventId")         ? once(c, &record->id)
                   : is(key, "inferenceTime") ? once(c, &record->time)
                                              : skip(c, 0);
        if (!read) return 0;
    } while (take(c, ','));
    return take(c, '}') && record->time.at;
}

static int parse(Cursor *c, Record *record) {
    Text key;
    *record = (Record){0};
    if (!take(c, '{')) return 0;
    do {
        if (!(string(c, &key) && take(c, ':'))) return 0;
        int read = is(key, "captureData")     ? capture_data(c, record)
                   : is(key, "eventMetadata") ? metadata(c, record)
                   : is(key, "eventVersion")  ? once(c, &record->version)
                                              : skip(c, 0);
        if (!read) return 0;
    } while (take(c, ','));
    if (!take(c, '}')) return 0;
    blanks(c);
    return c->at == c->end && record->input.data.at && record->time.at;
}

/* Records of one endpoint differ in these values alone, so what stands between them is looked for as it stood in the record
 * before: far less work than to read it again. */
enum { VALUES = 4 };

typedef struct {
    Record record;
    Text between[VALUES + 1]; /* before each value, and behind the last */
    int8_t value[VALUES], count;
} Shape;

static inline Text *value_in(Record *record, int value) {
    Text *const values[VALUES] = {&record->input.data, &record->output.data, &record->id, &record->time};
    return values[value];
}

static void learn(Shape *shape, Record *record, const char *from, const char *end) {
    shape->count = 0;
    for (int value = 0; value < VALUES; value++) {
        const char *at = value_in(record, value)->at;
        int place = shape->count;
        if (!at) continue;
        for (; place && value_in(record, shape->value[place - 1])->at > at; place--)
            shape->value[place] = shape->value[place - 1];
        shape->value[place] = (int8_t)value;
        shape->count++;
    }
    for (int place = 0; place < shape->count; place++) {
        Text *value = value_in(record, shape->value[place]);
        shape->between[place] = (Text){from, value->at - from};
        from = value->at + value->size;
    }
    shape->between[shape->count] = (Text){from, end - from};
    shape->record = *record;
}

static inline int same(Cursor *c, Text text) {
    if (c->end - c->at < text.size || memcmp(c->at, text.at, text.size)) return 0;
    c->at += text.size;
    return 1;
}

/* Whether the line has the shape; the record then. */
static int has_shape(const Shape *shape, Cursor c, Record *record) {
    *record = shape->record;
    for (int place = 0; place < shape->count; place++)
        if (!same(&c, shape->between[place]) || !inside(&c, value_in(record, shape->value[place]))) return 0;
    return same(&c, shape->between[shape->count]) && c.at == c.end;
}

static int two_digits(const char *at, int least, int most) {
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9') return 0;
    int value = 10 * (at[0] - '0') + at[1] - '0';
    return least <= value && value <= most;
}

/* 2013-04-01T12:00:00Z, of a day that every month has: the others are rare, and the careful reader knows the calendar. */
static int plain_time(Text time) {
    const char *at = time.at;
    return time.size == TIME_CHARS && two_digits(at, 19, 99) && two_digits(at + 2, 0, 99) && at[4] == '-' &&
           two_digits(at + 5, 1, 12) && at[7] == '-' && two_digits(at + 8, 1, 28) && at[10] == 'T' &&
           two_digits(at + 11, 0, 23) && at[13] == ':' && two_digits(at + 14, 0, 59) && at[16] == ':' &&
           two_digits(at + 17, 0, 59) && at[19] == 'Z';
}

static int csv(Side side) {
    if (!side.encoding.at || !is(side.encoding, "CSV")) return 0;
    if (!side.type.at) return 1;
    return side.type.size >= CSV_TYPE && !memcmp(side.type.at, "text/csv", CSV_TYPE) &&
           (side.type.size == CSV_TYPE || side.type.at[CSV_TYPE] == ';');
}

#endif
