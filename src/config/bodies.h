/* The bodies of the answer 403, unless the configuration names others. */
#ifndef CONFIG_BODIES_H
#define CONFIG_BODIES_H

extern const char *const bodies_json;
extern const char *const bodies_html;

#endif
