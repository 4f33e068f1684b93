/* Ordinary capture records to columns: one pass over JSON Lines whose payloads are CSV.
 *
 * A line with anything out of the ordinary (an escape other than a line's end, a byte beyond ASCII, BASE64, a header, a
 * value that is no plain number, a broken record) is handed back untouched, for the careful reader in Python to read or
 * to refuse. So nothing is decided here but what a plain line means.
 */
#include <math.h>

#include "columns.h"
#include "number.h"
#include "record.h"

enum { FULL = -1 };

typedef struct {        /* a categorical input: which bin each known category is counted in */
    const char *keys;   /* all categories, one after the other */
    const int64_t *bounds; /* where category i begins; one more for the end of the last */
    const int32_t *bins;
    int32_t *slots;     /* hash table: 0 is free, else a category's index and one */
    int64_t mask;
    int32_t fresh, missing; /* the bins of categories never seen before, and of no value */
} Categories;

typedef struct {
    const int32_t *places; /* by field: its column among the numbers, or -1 - its column among the categories */
    const Categories *categories;
    Text header;
    char start[TIME_CHARS], end[TIME_CHARS];
    int32_t fields, numeric;
} Layout;

typedef struct {        /* columns have room for `capacity` rows, records and lines */
    double *numbers;    /* numeric columns, then the score */
    int32_t *codes;     /* categorical columns */
    uint64_t *ids;      /* by record used: the hash of its event id, 0 if it has none */
    int64_t *rows;      /* by record used: how many rows */
    int64_t *rest;      /* lines handed back: where each begins and ends */
    int64_t capacity, row, used, outside, handed_back;
} Columns;

/* One to seven bytes as a word that ends with zeros; they may be read twice, and none behind them is. */
static inline uint64_t fewer(const char *at, int64_t size) {
    const unsigned char *bytes = (const unsigned char *)at;
    if (size < 4) return bytes[0] | (uint64_t)bytes[size / 2] << size / 2 * 8 | (uint64_t)bytes[size - 1] << (size - 1) * 8;
    return four(at) | four(at + size - 4) << (size - 4) * 8;
}

uint64_t scan_hash(const char *at, int64_t size) {
    uint64_t hash = 0;
    for (int64_t i = 0; i < size; i += 8) {
        hash = (hash ^ (size - i < 8 ? fewer(at + i, size - i) : eight(at + i))) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    return hash;
}

static int32_t bin_of(const Categories *known, Text text) {
    if (!text.size) return known->missing;
    for (int64_t slot = (int64_t)scan_hash(text.at, text.size) & known->mask;; slot = (slot + 1) & known->mask) {
        int32_t category = known->slots[slot] - 1;
        if (category < 0) return known->fresh;
        const int64_t *bounds = known->bounds + category;
        if (bounds[1] - bounds[0] == text.size && !memcmp(known->keys + bounds[0], text.at, text.size))
            return known->bins[category];
    }
}

void scan_index(const Categories *known, int32_t categories) {
    for (int32_t category = 0; category < categories; category++) {
        const int64_t *bounds = known->bounds + category;
        int64_t slot = (int64_t)scan_hash(known->keys + bounds[0], bounds[1] - bounds[0]) & known->mask;
        while (known->slots[slot]) slot = (slot + 1) & known->mask;
        known->slots[slot] = category + 1;
    }
}

/* The next comma, or `stop`; it is near. */
static inline const char *comma(const char *at, const char *stop) {
    while (at < stop && *at != ',') at++;
    return at;
}

/* One value from `at` on. Returns where it ends; NULL if it is out of the ordinary. */
static const char *field(const Layout *layout, const Columns *to, int index, int64_t row, const char *at, const char *stop) {
    int32_t place = layout->places[index];
    if (place < 0) {
        Text text = {at, comma(at, stop) - at};
        to->codes[(-1 - place) * to->capacity + row] = bin_of(layout->categories + (-1 - place), text);
        return at + text.size;
    }
    double *value = to->numbers + place * to->capacity + row;
    if (at < stop && *at != ',') return number(at, stop, value);
    *value = NAN;
    return at;
}

/* The end of this row's text: an escaped line's end, or the end of all. */
static const char *row_end(const char *at, const char *end) {
    const char *found = memchr(at, '\\', end - at);
    return found ? found : end;
}

/* Past one end of a line, \n or \r\n; NULL if there is none. */
static const char *next_row(const char *at, const char *end) {
    if (end - at >= 4 && at[1] == 'r') at += 2;
    return end - at >= 2 && at[0] == '\\' && at[1] == 'n' ? at + 2 : NULL;
}

/* Rows of a payload from row `row` on; 0 if any is out of the ordinary, FULL if there is no room for them. */
static int64_t rows(const Layout *layout, const Columns *to, Text text, int64_t row) {
    const char *at = text.at, *end = text.at + text.size;
    int64_t count = 0;
    for (; at && at < end; count++) {
        const char *stop = row_end(at, end);
        Text whole = {at, stop - at};
        if (row + count >= to->capacity) return FULL;
        if (!whole.size) return 0;
        if (whole.size == layout->header.size && !memcmp(whole.at, layout->header.at, whole.size)) return 0;
        for (int index = 0; index < layout->fields; index++) {
            int last = index == layout->fields - 1;
            if (!(at = field(layout, to, index, row + count, at, stop))) return 0;
            if (last ? at != stop : at == stop || *at != ',') return 0;
            at += !last;
        }
        if (at < end && !(at = next_row(at, end))) return 0;
    }
    return count;
}

static int scores(const Layout *layout, const Columns *to, const Record *record, int64_t count) {
    double *score = to->numbers + layout->numeric * to->capacity + to->row;
    const char *at = record->output.data.at, *end = at + record->output.data.size;
    for (int64_t row = 0; row < count; row++) {
        if (!record->output.data.at) {
            score[row] = NAN;
            continue;
        }
        const char *stop = row_end(at, end);
        if (number(at, stop, score + row) != stop) return 0;
        if (stop < end && !(stop = next_row(stop, end))) return 0;
        at = stop;
    }
    return at == end;
}

/* 1 if the line was read, be it as a record outside the window; 0 if it is for the careful reader; or FULL. */
static int line(const Layout *layout, Columns *to, Shape *shape, const char *from, const char *end) {
    Record record;
    Cursor cursor = {from, end};
    if (!shape->count || !has_shape(shape, cursor, &record)) {
        if (!parse(&cursor, &record)) return 0;
        learn(shape, &record, from, end);
    }
    if (!plain_time(record.time)) return 0;
    if (record.version.at && !is(record.version, "0")) return 0;
    if (memcmp(record.time.at, layout->start, TIME_CHARS) < 0 || memcmp(record.time.at, layout->end, TIME_CHARS) >= 0) {
        to->outside++;
        return 1;
    }
    if (!csv(record.input) || (record.output.data.at && !csv(record.output))) return 0;
    int64_t count = rows(layout, to, record.input.data, to->row);
    if (count == FULL) return FULL;
    if (!count || !scores(layout, to, &record, count)) return 0;
    to->ids[to->used] = record.id.at ? scan_hash(record.id.at, record.id.size) : 0;
    to->rows[to->used++] = count;
    to->row += count;
    return 1;
}

/* Puts the ids into an open-addressing table that has room for them. By id, whether it is new; returns how many are. */
int64_t scan_first(uint64_t *slots, int64_t mask, const uint64_t *ids, int64_t count, uint8_t *fresh) {
    int64_t added = 0;
    for (int64_t place = 0; place < count; place++) {
        uint64_t id = ids[place];
        int64_t slot = (int64_t)id & mask;
        while (slots[slot] && slots[slot] != id) slot = (slot + 1) & mask;
        fresh[place] = !id || !slots[slot];
        if (!id || slots[slot]) continue;
        slots[slot] = id;
        added++;
    }
    return added;
}

/* Reads whole lines until the columns are full. Returns how many bytes were read, always some. */
int64_t scan(const Layout *layout, Columns *to, const char *text, int64_t size) {
    Shape shape = {.count = 0};
    int64_t at = 0;
    while (at < size && to->row < to->capacity && to->handed_back < to->capacity) {
        const char *newline = memchr(text + at, '\n', size - at);
        int64_t next = newline ? newline - text + 1 : size, end = newline ? next - 1 : size;
        int read = line(layout, to, &shape, text + at, text + end);
        if (read == FULL && to->row) return at;
        if (read != 1) {
            to->rest[2 * to->handed_back] = at;
            to->rest[2 * to->handed_back++ + 1] = end;
        }
        at = next;
    }
    return at;
}
