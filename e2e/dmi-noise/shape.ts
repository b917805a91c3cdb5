/** What both ends of the noise know. */
export const tenant = "acme";
export const places = 8;
/** whose reports have other bytes than they were made with: any text may come of it */
export const spoiltPlace = "spoilt";
export const heldAt = (place: number): number => 1000 + place;
