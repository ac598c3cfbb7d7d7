export declare const FILE: URL;
export declare function elementIds(): string;
