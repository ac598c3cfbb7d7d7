export declare function readLayers(document?: string): Map<string, string[]>;
export declare function restrictions(layers?: Map<string, string[]>): Map<string, { regex: string; message: string }[]>;
